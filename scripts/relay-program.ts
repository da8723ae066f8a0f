import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Build } from './build-inputs.ts';

/** The relay's program, as `scripts/build-relay.ts` builds it. */
export const RELAY: Build = {
  name: 'the relay',
  inputs: ['relay', 'src', 'vite.relay.config.ts', 'package.json', 'package-lock.json'],
  stamp: 'dist/relay.sha256',
};

const PROJECT = resolve(import.meta.dirname, '..');

/**
 * What to run as the relay: the built program, which starts in a third of the time; from source when none has been built
 * since the last change. Goes by times, not by contents: what asks is about to start a process, and most often answers a
 * person.
 * @param root the project's folder
 * @returns absolute path of a file for Node
 */
export function relayProgram(root = PROJECT): string {
  const built = changedAt(join(root, RELAY.stamp));
  const isFresh = built !== undefined && RELAY.inputs.every((path) => isOlder(join(root, path), built));
  return join(root, isFresh ? 'dist/relay/main.mjs' : 'relay/main.ts');
}

/** Whether nothing in there has changed since a time; a folder's own time tells of files that are gone. */
function isOlder(path: string, time: number): boolean {
  const changed = changedAt(path);
  if (changed === undefined || changed > time) return false;
  if (!statSync(path).isDirectory()) return true;
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).every(
    (name) => (changedAt(join(path, name)) ?? Infinity) <= time,
  );
}

/** ms since the epoch; undefined when there is no such file */
function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
