import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

/** The version that {@link makeNextBuild} gives the app. */
export const NEXT_VERSION = '99.0.0';

/** A build of the app in a folder of its own. */
export interface Build {
  readonly folder: string;
  delete(): Promise<void>;
}

/** Builds the app as its next version: chunks that tell the version, and those that name them, get other names. */
export async function makeNextBuild(): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-next-'));
  await build({
    logLevel: 'error',
    define: { 'import.meta.env.VITE_APP_VERSION': JSON.stringify(NEXT_VERSION) },
    build: { outDir: folder, emptyOutDir: true },
  });
  return { folder, delete: () => rm(folder, { recursive: true, force: true }) };
}
