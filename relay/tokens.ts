import { timingSafeEqual } from 'node:crypto';
import type { ClientToken } from '../src/contracts/relay.ts';
import { OWNER_TOKEN_ID } from '../src/contracts/tools.ts';
import type { Clock } from '../src/lib/clock.ts';
import { TabmeshError } from '../src/lib/errors.ts';
import { randomId, type DeviceId, type RoomId } from '../src/lib/ids.ts';
import { createProcessLock } from '../src/mesh/storage/lock.ts';
import { readFileIfThere, writeFileAtomic } from './data-dir/atomic-file.ts';
import type { DataDir } from './data-dir/open.ts';
import { readTokens, writeTokens, type StoredToken } from './data-dir/token-file.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** More than a person's clients on all devices; a member cannot fill the relay's disk with tokens. */
const MAX_TOKENS_PER_DEVICE = 32;
const MAX_NAME_LENGTH = 80;

/** Whom a token stands for. */
export interface TokenHolder {
  readonly id: string;
  readonly name: string;
  /** null for the owner: the relay's own room, whichever that is */
  readonly room: RoomId | null;
}

/** The tokens of MCP and REST clients. */
export interface Tokens {
  /** kept in clear, for the person who runs the relay */
  readonly owner: string;
  /** @returns undefined for a token that this relay never gave out */
  verify(token: string): TokenHolder | undefined;
  /**
   * Makes a token for a member's client. It is on disk when the promise resolves; the clear text is nowhere but in the
   * answer.
   * @throws `invalid_input` for a bad name, `rate_limited` when the device has too many, `storage_failed`
   */
  create(request: { readonly room: RoomId; readonly device: DeviceId; readonly name: string }): Promise<ClientToken>;
}

/**
 * Opens the tokens in the data folder, making the owner's at first start.
 * @param mcp absolute URL of the MCP endpoint, told with each new token
 * @throws `corrupt`, `format_newer`, the file system's error
 */
export async function openTokens(dataDir: DataDir, mcp: string, clock: Clock): Promise<Tokens> {
  const path = dataDir.file('tokens.json');
  const owner = await ownerToken(dataDir.file('owner-token'));
  const ownerHash = hashSecret(owner);
  const stored = [...(await readTokens(path))];
  const byHash = new Map(stored.map((token) => [token.hash, token]));
  const writing = createProcessLock();

  return {
    owner,
    verify(token) {
      const hash = hashSecret(token);
      if (equal(hash, ownerHash)) return { id: OWNER_TOKEN_ID, name: OWNER_TOKEN_ID, room: null };
      const found = byHash.get(hash);
      return found === undefined ? undefined : { id: found.id, name: found.name, room: found.room };
    },
    create: ({ room, device, name }) =>
      writing.run(async () => {
        const shown = checkedName(name);
        if (stored.filter((token) => token.device === device).length >= MAX_TOKENS_PER_DEVICE) {
          throw new TabmeshError('rate_limited', `this device has ${String(MAX_TOKENS_PER_DEVICE)} tokens already`);
        }
        const token = newSecret('tm');
        const createdAt = new Date(clock.now()).toISOString();
        const entry: StoredToken = { id: randomId(), name: shown, room, device, hash: hashSecret(token), createdAt };
        await store(path, [...stored, entry]);
        stored.push(entry);
        byHash.set(entry.hash, entry);
        return { id: entry.id, name: shown, token, mcp };
      }),
  };
}

async function ownerToken(path: string): Promise<string> {
  const text = (await readFileIfThere(path))?.trim();
  if (text !== undefined && text !== '') return text;
  const token = newSecret('tm');
  await writeFileAtomic(path, `${token}\n`);
  return token;
}

async function store(path: string, tokens: readonly StoredToken[]): Promise<void> {
  try {
    await writeTokens(path, tokens);
  } catch (cause) {
    throw new TabmeshError('storage_failed', 'the relay could not save the new token', { cause });
  }
}

function checkedName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== '' && trimmed.length <= MAX_NAME_LENGTH && !/\p{Cc}/u.test(trimmed)) return trimmed;
  throw new TabmeshError(
    'invalid_input',
    `the name of a token must have 1 to ${String(MAX_NAME_LENGTH)} characters, none of them a control character`,
  );
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
