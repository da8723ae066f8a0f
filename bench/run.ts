/**
 * `npm run bench [suite …] [-- --option value]`: runs the named suites, one after another; without a name all of them. Options
 * go to each.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SUITES = ['search', 'mesh', 'transfer', 'gateway', 'relay'];

const given = process.argv.slice(2);
const firstOption = given.findIndex((word) => word.startsWith('-'));
const wanted = firstOption === -1 ? given : given.slice(0, firstOption);
const options = given.slice(wanted.length);
const unknown = wanted.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  console.error(`unknown suite: ${unknown.join(', ')}. There are: ${SUITES.join(', ')}.`);
  process.exit(1);
}
const failed = (wanted.length === 0 ? SUITES : wanted).filter((name) => {
  const script = join(import.meta.dirname, `${name}.ts`);
  const { status } = spawnSync(process.execPath, [script, ...options], { stdio: 'inherit' });
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exit(1);
}
