import { unwatchFile, watchFile } from 'node:fs';
import type { Clock } from '../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../src/lib/errors.ts';
import type { Log } from '../../src/lib/log.ts';
import { accessSecrets, newAccessKey } from '../../src/mesh/access/key.ts';
import type { StoredAccessKey } from '../../src/mesh/access/server.ts';
import { changeKeys, keyFile, readKeys, type KeptKey } from './key-file.ts';

/** Name of the key that is in the relay's own invite. */
export const INVITE_KEY = 'invite';
/** Groups of people, not people; also bounds the file. */
const MAX_KEYS = 256;
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/;
/** A key that is taken back is dead this soon. */
const WATCH_MS = 1_000;

/** The access keys of a running relay; it follows what commands do to them. */
export interface AccessKeys {
  /** the key that the relay puts into its own invite */
  own(): Uint8Array;
  find(id: Uint8Array): StoredAccessKey | undefined;
  close(): void;
}

/**
 * Opens the keys in a relay's data folder, making the relay's own at first start.
 * @param dataDir absolute
 * @param onChange the keys are others than before
 * @throws `corrupt`, `format_newer`, the file system's error
 */
export async function openAccessKeys(
  { dataDir, clock, log }: { readonly dataDir: string; readonly clock: Clock; readonly log: Log },
  onChange: () => void,
): Promise<AccessKeys> {
  let keys = await changeKeys(dataDir, (kept) => withOwn(kept, clock), clock);
  let byId = index(keys);
  const follow = async () => {
    try {
      keys = await changeKeys(dataDir, (kept) => withOwn(kept, clock), clock);
      byId = index(keys);
      onChange();
    } catch (error) {
      // the keys stay as they were; a damaged file must not open the relay, nor shut out everybody
      log.error('access keys not read', { reason: toTabmeshError(error).message });
    }
  };
  const watcher = () => void follow();
  watchFile(keyFile(dataDir), { interval: WATCH_MS, persistent: false }, watcher);
  return {
    own: () => {
      const own = keys.find(({ key }) => key !== null)?.key;
      if (typeof own !== 'string') throw new TabmeshError('internal', 'the relay has no access key of its own');
      return Buffer.from(own, 'base64url');
    },
    find: (id) => byId.get(hex(id)),
    close: () => {
      unwatchFile(keyFile(dataDir), watcher);
    },
  };
}

/** The keys of a relay that may be running or not. @throws `corrupt`, `format_newer`, the file system's error */
export const listKeys = (dataDir: string): Promise<readonly KeptKey[]> => readKeys(dataDir);

/**
 * Makes a key.
 * @returns the key in base64url, which is nowhere else
 * @throws `invalid_input` for a bad name, `conflict` for one that is taken, `rate_limited` when there are too many
 */
export async function createKey(dataDir: string, name: string, clock: Clock): Promise<string> {
  if (!NAME.test(name)) {
    throw new TabmeshError('invalid_input', 'a key needs a name of 1 to 40 letters, digits, spaces or . _ -');
  }
  const made = newAccessKey();
  await changeKeys(dataDir, (kept) => {
    if (kept.some((key) => key.name === name) || name === INVITE_KEY) {
      throw new TabmeshError('conflict', `there is a key “${name}” already`);
    }
    if (kept.length >= MAX_KEYS) throw new TabmeshError('rate_limited', `a relay has at most ${MAX_KEYS} access keys`);
    return [...kept, { ...entry(name, made, clock), key: null }];
  });
  return Buffer.from(made).toString('base64url');
}

/**
 * Takes a key back: peers that have presented it are cut off within a second. The relay makes itself a new one in place of
 * its own.
 * @throws `not_found`
 */
export async function revokeKey(dataDir: string, name: string, clock: Clock): Promise<void> {
  await changeKeys(dataDir, (kept) => {
    const rest = kept.filter((key) => key.name !== name);
    if (rest.length === kept.length) throw new TabmeshError('not_found', `there is no key “${name}”`);
    return withOwn(rest, clock);
  });
}

function withOwn(kept: readonly KeptKey[], clock: Clock): readonly KeptKey[] {
  if (kept.some(({ key }) => key !== null)) return kept;
  const made = newAccessKey();
  return [{ ...entry(INVITE_KEY, made, clock), key: Buffer.from(made).toString('base64url') }, ...kept];
}

function entry(name: string, key: Uint8Array, clock: Clock): Omit<KeptKey, 'key'> {
  const { id, storedKey } = accessSecrets(key);
  return { name, id: hex(id), storedKey: hex(storedKey), createdAt: new Date(clock.now()).toISOString() };
}

function index(keys: readonly KeptKey[]): ReadonlyMap<string, StoredAccessKey> {
  return new Map(
    keys.map(({ name, id, storedKey }) => [
      id,
      { name, id: Buffer.from(id, 'hex'), storedKey: Buffer.from(storedKey, 'hex') },
    ]),
  );
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
