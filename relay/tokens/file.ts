import { join } from 'node:path';
import { ACCESS_CLASSES, DEFAULT_CLASSES } from '../../src/contracts/access.ts';
import type { AccessClass } from '../../src/contracts/tools.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId, RoomId } from '../../src/lib/ids.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import { withFolderLock } from '../data-dir/folder-lock.ts';

/** 2: a token says what it is good for, and for how long. */
const VERSION = 2;

/** A client token as kept on disk: what it is for, and only the hash of it. Times are ISO 8601. */
export interface StoredToken {
  readonly id: string;
  readonly name: string;
  /** null: the relay's own room, whichever that is */
  readonly room: RoomId | null;
  /** the member that it was made for; null when the relay's owner made it */
  readonly device: DeviceId | null;
  /** id of the token that made this one, which ends with it; null for none */
  readonly parent: string | null;
  /** hexadecimal SHA-256 of the token */
  readonly hash: string;
  readonly classes: readonly AccessClass[];
  readonly tools: readonly string[] | null;
  readonly perMinute: number | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** Where the tokens are, in the relay's data folder. */
export const tokenFile = (dataDir: string): string => join(dataDir, 'tokens.json');

/** Reads the tokens. @throws `format_newer`, `corrupt`, the file system's error */
export async function readTokens(dataDir: string): Promise<readonly StoredToken[]> {
  const path = tokenFile(dataDir);
  const text = await readFileIfThere(path);
  if (text === undefined) return [];
  const value = parse(text);
  if (typeof value?.version === 'number' && value.version > VERSION) {
    throw new TabmeshError('format_newer', `${path} was written by a newer Tabmesh`, { hint: 'Update this app.' });
  }
  const tokens = Array.isArray(value?.tokens) ? value.tokens.map(value.version === 1 ? fromFirst : same) : [null];
  if ((value?.version !== VERSION && value?.version !== 1) || !tokens.every(isStoredToken)) {
    throw new TabmeshError('corrupt', `${path} is damaged`, {
      hint: 'Restore it from a backup, or delete it: AI clients then need new tokens.',
    });
  }
  return tokens;
}

/**
 * Changes the tokens, one process at a time: commands run beside the relay.
 * @param change gets the tokens as they are and returns what they are to be
 * @returns the tokens as they are now
 * @throws what `change` throws; `conflict` when another process holds on to them; see {@link readTokens}
 */
export async function changeTokens(
  dataDir: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
  clock: Clock = systemClock,
): Promise<readonly StoredToken[]> {
  return await withFolderLock(join(dataDir, 'tokens'), clock, async () => {
    const before = await readTokens(dataDir);
    const after = change(before);
    if (after !== before) {
      await writeFileAtomic(tokenFile(dataDir), `${JSON.stringify({ version: VERSION, tokens: after }, null, 1)}\n`);
    }
    return after;
  });
}

function parse(text: string): { readonly version?: unknown; readonly tokens?: unknown } | null {
  try {
    return JSON.parse(text) as { readonly version?: unknown; readonly tokens?: unknown } | null;
  } catch {
    // the caller says "damaged"
    return null;
  }
}

const same = (value: unknown): unknown => value;

/** Tokens of version 1 could read and compute, for ever. */
function fromFirst(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return { parent: null, classes: DEFAULT_CLASSES, tools: null, perMinute: null, expiresAt: null, ...value };
}

function isStoredToken(value: unknown): value is StoredToken {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  const listOf = (list: unknown, test: (item: unknown) => boolean) => Array.isArray(list) && list.every(test);
  const orNull = (key: string, test: (field: unknown) => boolean) => fields[key] === null || test(fields[key]);
  return (
    ['id', 'name', 'hash', 'createdAt'].every((key) => isText(fields[key])) &&
    ['room', 'device', 'parent', 'expiresAt'].every((key) => orNull(key, isText)) &&
    /^[0-9a-f]{64}$/.test(String(fields['hash'])) &&
    listOf(fields['classes'], (name) => (ACCESS_CLASSES as readonly unknown[]).includes(name)) &&
    orNull('tools', (tools) => listOf(tools, isText)) &&
    orNull('perMinute', (rate) => typeof rate === 'number' && rate > 0) &&
    !Number.isNaN(Date.parse(String(fields['createdAt']))) &&
    orNull('expiresAt', (time) => !Number.isNaN(Date.parse(String(time))))
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
