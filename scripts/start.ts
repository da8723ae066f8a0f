// `npm start`: builds what is stale, then becomes the relay, so that arguments, signals and the exit code are its own.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildApp } from './build-app.ts';

const { values } = parseArgs({ options: { help: { type: 'boolean' } }, strict: false });
if (values.help !== true) {
  // paths that the person names stay relative to where they are; the build's are the project's
  const here = process.cwd();
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const code = await buildApp({ force: false });
  if (code !== 0) process.exit(code);
  process.chdir(here);
}
await import('../relay/main.ts');
