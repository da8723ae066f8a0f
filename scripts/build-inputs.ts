import { createHash } from 'node:crypto';
import { glob, readFile, rm, writeFile } from 'node:fs/promises';

/** All that the built app is made of; packages by their lock file. */
const INPUTS = [
  'src/**/*',
  'workers/**/*',
  'static/**/*',
  'index.html',
  'vite.config.ts',
  'svelte.config.js',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  'scripts/build*.ts',
  'scripts/licenses/*.ts',
];
/** Beside the build, not in it: Vite empties its own folder. */
const STAMP = 'dist/app.sha256';

/** The hash of all that goes into the build: contents, not times, which a checkout changes. */
export async function hashInputs(): Promise<string> {
  const files: string[] = [];
  for await (const entry of glob(INPUTS, { withFileTypes: true })) {
    if (entry.isFile()) files.push(`${entry.parentPath}/${entry.name}`);
  }
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    hash.update(`${file}\0`);
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

/** The hash that the build in `dist` was made of; undefined when there is none, or one that was not finished. */
export async function builtFrom(): Promise<string | undefined> {
  try {
    return await readFile(STAMP, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Marks the build in `dist` as finished. */
export async function markBuilt(hash: string): Promise<void> {
  await writeFile(STAMP, hash);
}

/** Marks the build in `dist` as unfinished. */
export async function unmarkBuilt(): Promise<void> {
  await rm(STAMP, { force: true });
}
