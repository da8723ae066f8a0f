import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';

/** Something that is built from sources. Paths are from the project's folder. */
export interface Build {
  /** for the person who waits */
  readonly name: string;
  /** all that it is made of, files and whole folders; packages by their lock file */
  readonly inputs: readonly string[];
  /** is there when the build is finished, and as old as what it was made of; beside the build, since Vite empties that */
  readonly stamp: string;
}

/**
 * Builds when something has changed since the last time.
 * @param force builds even when nothing has
 * @param make returns 0, or the exit code of what failed
 * @returns the same
 */
export async function buildWhenStale(build: Build, force: boolean, make: () => Promise<number>): Promise<number> {
  const began = new Date();
  const hash = await hashInputs(build);
  if (force || (await builtFrom(build)) !== hash) {
    process.stderr.write(`Building ${build.name} …\n`);
    await rm(build.stamp, { force: true });
    const code = await make();
    if (code !== 0) return code;
    await writeFile(build.stamp, hash);
  }
  // what changes while this runs is newer than the stamp
  await utimes(build.stamp, began, began);
  return 0;
}

/** The hash of all that goes into a build: contents, not times, which a checkout changes. */
async function hashInputs({ inputs }: Build): Promise<string> {
  const files = await Promise.all(inputs.map(filesOf));
  const hash = createHash('sha256');
  for (const file of files.flat().sort()) {
    hash.update(`${file}\0`);
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
}

/** The hash that the build was made of; undefined when there is none, or one that was not finished. */
async function builtFrom({ stamp }: Build): Promise<string | undefined> {
  try {
    return await readFile(stamp, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
