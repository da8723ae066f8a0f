import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildWhenStale } from './build-inputs.ts';
import { RELAY } from './relay-program.ts';
import { viteBuild } from './vite-build.ts';

const FOLDER = 'dist/relay';
/** Relays that were started from an older build load some of its files when they need them, ms. */
const KEEP_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Builds the relay's program into `dist/relay`. Call it from the project's folder.
 * @param options `force` builds even when nothing has changed since the last build
 * @returns 0, or the exit code of the build
 */
export function buildRelay({ force }: { readonly force: boolean }): Promise<number> {
  return buildWhenStale(RELAY, force, async () => {
    const code = await viteBuild(['--config', 'vite.relay.config.ts']);
    if (code === 0) await dropOld(Date.now() - KEEP_MS);
    return code;
  });
}

/** A build writes anew what has not changed, too: what is older belongs to none that anybody runs. */
async function dropOld(before: number): Promise<void> {
  for (const name of await readdir(FOLDER)) {
    const file = join(FOLDER, name);
    if ((await stat(file)).mtimeMs < before) await rm(file);
  }
}
