import { join } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import { withFolderLock } from '../data-dir/folder-lock.ts';

const VERSION = 1;

/** An access key as kept on disk. */
export interface KeptKey {
  readonly name: string;
  /** hexadecimal; see `AccessSecrets` */
  readonly id: string;
  readonly storedKey: string;
  /** ISO 8601 */
  readonly createdAt: string;
  /** base64url, of the one that the relay puts into its own invite; null for those that others hold */
  readonly key: string | null;
}

/** Where the keys are, below the relay's data folder. */
export const keyFile = (dataDir: string): string => join(dataDir, 'access', 'keys.json');

/** Reads the keys. @throws `format_newer`, `corrupt`, the file system's error */
export async function readKeys(dataDir: string): Promise<readonly KeptKey[]> {
  const path = keyFile(dataDir);
  const text = await readFileIfThere(path);
  if (text === undefined) return [];
  const value = parse(text);
  if (typeof value?.version === 'number' && value.version > VERSION) {
    throw new TabmeshError('format_newer', `${path} was written by a newer Tabmesh`, { hint: 'Update this app.' });
  }
  if (value?.version !== VERSION || !Array.isArray(value.keys) || !value.keys.every(isKept)) {
    throw new TabmeshError('corrupt', `${path} is damaged`, {
      hint: 'Restore it from a backup, or delete it: peers then need new invites.',
    });
  }
  return value.keys;
}

/**
 * Changes the keys, one process at a time: commands run beside the relay.
 * @param change gets the keys as they are and returns what they are to be
 * @returns the keys as they are now
 * @throws what `change` throws; `conflict` when another process holds on to them; see {@link readKeys}
 */
export async function changeKeys(
  dataDir: string,
  change: (keys: readonly KeptKey[]) => readonly KeptKey[],
  clock: Clock = systemClock,
): Promise<readonly KeptKey[]> {
  return await withFolderLock(join(dataDir, 'access'), clock, async () => {
    const before = await readKeys(dataDir);
    const after = change(before);
    if (after !== before) {
      await writeFileAtomic(keyFile(dataDir), `${JSON.stringify({ version: VERSION, keys: after }, null, 1)}\n`);
    }
    return after;
  });
}

function parse(text: string): { readonly version?: unknown; readonly keys?: unknown } | null {
  try {
    return JSON.parse(text) as { readonly version?: unknown; readonly keys?: unknown } | null;
  } catch {
    // the caller says "damaged"
    return null;
  }
}

function isKept(value: unknown): value is KeptKey {
  if (typeof value !== 'object' || value === null) return false;
  const { key, ...fields } = value as Record<string, unknown>;
  const hex = (text: unknown) => typeof text === 'string' && /^(?:[0-9a-f]{2})+$/.test(text);
  return (
    typeof fields['name'] === 'string' &&
    typeof fields['createdAt'] === 'string' &&
    hex(fields['id']) &&
    hex(fields['storedKey']) &&
    (key === null || (typeof key === 'string' && /^[A-Za-z0-9_-]{22}$/.test(key)))
  );
}
