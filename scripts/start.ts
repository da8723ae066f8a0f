// `npm start`: builds what is stale, then becomes the relay, so that arguments, signals and the exit code are its own.
import { fileURLToPath } from 'node:url';
import { buildApp } from './build-app.ts';

if (!process.argv.includes('--help')) {
  // paths that the person names stay relative to where they are; the build's are the project's
  const here = process.cwd();
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const code = await buildApp({ force: false });
  if (code !== 0) process.exit(code);
  process.chdir(here);
}
await import('../relay/main.ts');
