/** `npm run bench [suite …]`: runs the named suites, one after another; without a name all of them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SUITES = ['search', 'mesh', 'transfer', 'gateway', 'relay'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  console.error(`unknown suite: ${unknown.join(', ')}. There are: ${SUITES.join(', ')}.`);
  process.exit(1);
}
const failed = (wanted.length === 0 ? SUITES : wanted).filter((name) => {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exit(1);
}
