import { writeFile } from 'node:fs/promises';
import { builtFrom, hashInputs, markBuilt, unmarkBuilt } from './build-inputs.ts';
import { noticesOf } from './licenses/notices.ts';
import { shippedPackages } from './licenses/packages.ts';
import { run } from './process.ts';

/** Standard output belongs to the relay (`--json`): what a build says goes to standard error. */
const TO_STDERR = ['ignore', 2, 2] as const;

/**
 * Builds the app into `dist/app`, with the licences of all that ships beside it. Call it from the project's folder.
 * @param options `force` builds even when nothing has changed since the last build
 * @returns 0, or the exit code of the build
 */
export async function buildApp({ force }: { readonly force: boolean }): Promise<number> {
  const hash = await hashInputs();
  if (!force && (await builtFrom()) === hash) return 0;
  process.stderr.write('Building the app …\n');
  await unmarkBuilt();
  // the manifest tells scripts/bundle-files.ts which file is which
  const code = await run(
    'node',
    ['node_modules/vite/bin/vite.js', 'build', '--manifest', '--logLevel', 'warn'],
    [...TO_STDERR],
  );
  if (code !== 0) return code;
  await writeFile('dist/app/THIRD_PARTY_LICENSES.txt', noticesOf(await shippedPackages()));
  await markBuilt(hash);
  return 0;
}
