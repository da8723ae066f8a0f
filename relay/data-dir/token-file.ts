import { TabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId, RoomId } from '../../src/lib/ids.ts';
import { readFileIfThere, writeFileAtomic } from './atomic-file.ts';

/** A client token as kept on disk: what it is for, and only the hash of it. */
export interface StoredToken {
  readonly id: string;
  readonly name: string;
  readonly room: RoomId;
  /** the member that asked for it */
  readonly device: DeviceId;
  /** hexadecimal SHA-256 of the token */
  readonly hash: string;
  /** ISO 8601 */
  readonly createdAt: string;
}

const VERSION = 1;

/** Reads `tokens.json`. @throws `format_newer`, `corrupt`, the file system's error */
export async function readTokens(path: string): Promise<readonly StoredToken[]> {
  const text = await readFileIfThere(path);
  if (text === undefined) return [];
  const value = parse(text);
  if (typeof value?.version === 'number' && value.version > VERSION) {
    throw new TabmeshError('format_newer', `${path} was written by a newer Tabmesh`, { hint: 'Update this app.' });
  }
  if (value?.version !== VERSION || !Array.isArray(value.tokens) || !value.tokens.every(isStoredToken)) {
    throw new TabmeshError('corrupt', `${path} is damaged`, {
      hint: 'Restore it from a backup, or delete it: AI clients then need new tokens.',
    });
  }
  return value.tokens;
}

/** Replaces `tokens.json`. @throws the file system's error */
export async function writeTokens(path: string, tokens: readonly StoredToken[]): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ version: VERSION, tokens }, null, 1)}\n`);
}

function parse(text: string): { readonly version?: unknown; readonly tokens?: unknown } | null {
  try {
    return JSON.parse(text) as { readonly version?: unknown; readonly tokens?: unknown } | null;
  } catch {
    // the caller says "damaged"
    return null;
  }
}

function isStoredToken(value: unknown): value is StoredToken {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return ['id', 'name', 'room', 'device', 'hash', 'createdAt'].every((key) => typeof fields[key] === 'string');
}
