// `npm start`: builds what is stale, then becomes the relay, so that arguments, signals and the exit code are its own.
import { fileURLToPath } from 'node:url';
import { buildApp } from './build-app.ts';

/** How soon the relay follows when npm is gone. */
const FOLLOW_MS = 250;

/**
 * npm passes a signal on to the shell that it started, and some shells (dash) die of it without a word to us. When the
 * shell is gone, whoever stopped npm meant the relay.
 */
function endWithNpm(): void {
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, FOLLOW_MS);
  timer.unref();
}

if (process.env['npm_lifecycle_event'] === 'start') endWithNpm();
if (!process.argv.includes('--help')) {
  // paths that the person names stay relative to where they are; the build's are the project's
  const here = process.cwd();
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const code = await buildApp({ force: false });
  if (code !== 0) process.exit(code);
  process.chdir(here);
}
await import('../relay/main.ts');
