import { timingSafeEqual } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { ACCESS_CLASSES, type TokenInfo } from '../../src/contracts/access.ts';
import type { ClientToken } from '../../src/contracts/relay.ts';
import { OWNER_TOKEN_ID, type TokenScope } from '../../src/contracts/tools.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId, RoomId } from '../../src/lib/ids.ts';
import type { Log } from '../../src/lib/log.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import type { DataDir } from '../data-dir/open.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { changeTokens, readTokens, tokenFile, type StoredToken } from './file.ts';
import { made, without } from './change.ts';
import { checkAttenuates, readTokenRequest } from './request.ts';

/** What the command line does to the tokens takes effect this soon. */
const WATCH_MS = 1_000;

/** In the data folder, in clear: the token of the person who runs the relay. */
export const OWNER_TOKEN_FILE = 'owner-token';

/** Whom a token stands for, and what it is good for. */
export interface TokenHolder {
  readonly id: string;
  readonly name: string;
  /** null for the owner: the relay's own room, whichever that is */
  readonly room: RoomId | null;
  /** null when no member made it */
  readonly device: DeviceId | null;
  /** the owner token, or made with it */
  readonly owned: boolean;
  readonly scope: TokenScope;
  /** calls a minute; null for the relay's own limit */
  readonly perMinute: number | null;
}

const OWNER: TokenHolder = {
  id: OWNER_TOKEN_ID,
  name: OWNER_TOKEN_ID,
  room: null,
  device: null,
  owned: true,
  scope: { classes: ACCESS_CLASSES, tools: null, expiresAt: null },
  perMinute: null,
};

/** Whose token is to be made. */
export interface NewTokenOwner {
  /** null: the relay's own room, whichever that is */
  readonly room: RoomId | null;
  /** null: the relay's owner */
  readonly device: DeviceId | null;
  /** the token that asks for it, which it can never exceed nor outlive; none for a member over the mesh */
  readonly maker?: TokenHolder;
}

/** What happened to a token, for the audit log and for who holds streams open. */
export interface TokenChange {
  readonly type: 'created' | 'revoked';
  readonly id: string;
  readonly name: string;
  readonly device: DeviceId | null;
}

/** The tokens of MCP and REST clients. */
export interface Tokens {
  /** kept in clear, for the person who runs the relay */
  readonly owner: string;
  /** @returns undefined for a token that this relay never gave out, or has taken back; expired ones are still told */
  verify(token: string): TokenHolder | undefined;
  /**
   * Makes a token. It is on disk when the promise resolves; the clear text is nowhere but in the answer.
   * @param request a `TokenRequest`, not yet checked
   * @throws `invalid_input`, `forbidden` for more than its maker has, `rate_limited` when there are too many,
   *   `storage_failed`
   */
  create(owner: NewTokenOwner, request: unknown): Promise<ClientToken>;
  /** Those of one device, or all, oldest first. */
  list(device?: DeviceId): readonly TokenInfo[];
  /**
   * Takes a token back, and those that it has made. It is refused from the moment that this is called, and for good when
   * the promise resolves.
   * @param device whose it must be; anybody's when absent
   * @throws `not_found`, `storage_failed`
   */
  revoke(id: string, device?: DeviceId): Promise<void>;
  /** told of tokens made and taken back, by whomever; returns the unsubscribe function */
  subscribe(listener: (change: TokenChange) => void): () => void;
  close(): void;
}

export interface TokensOptions {
  readonly dataDir: Pick<DataDir, 'path' | 'file'>;
  /** absolute URL of the MCP endpoint, told with each new token */
  readonly mcp: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens the tokens in the data folder, making the owner's at first start; follows what commands do to the file.
 * @throws `corrupt`, `format_newer`, the file system's error
 */
export async function openTokens({ dataDir, mcp, clock, log }: TokensOptions): Promise<Tokens> {
  const owner = await ownerToken(dataDir.file(OWNER_TOKEN_FILE));
  const ownerHash = hashSecret(owner);
  let byHash = index(await readTokens(dataDir.path));
  // reading and writing, one after the other; the lock of the folder is for other processes
  const writing = createProcessLock();
  // being taken back: whatever is read from disk meanwhile must not bring them back
  const leaving = new Set<string>();
  const usedAt = new Map<string, number>();
  const listeners = new Set<(change: TokenChange) => void>();

  const use = (tokens: readonly StoredToken[]) => {
    const before = byHash;
    byHash = index(tokens.filter(({ id }) => !leaving.has(id)));
    const tell = (type: TokenChange['type'], { id, name, device }: StoredToken) => {
      for (const listener of [...listeners]) listener({ type, id, name, device });
    };
    for (const token of byHash.values()) if (!before.has(token.hash)) tell('created', token);
    for (const token of before.values()) {
      if (byHash.has(token.hash)) continue;
      usedAt.delete(token.id);
      tell('revoked', token);
    }
  };
  const change = async (apply: (tokens: readonly StoredToken[]) => readonly StoredToken[]): Promise<void> => {
    try {
      await writing.run(async () => {
        use(await changeTokens(dataDir.path, apply, clock));
      });
    } catch (thrown) {
      if (thrown instanceof TabmeshError) throw thrown;
      throw new TabmeshError('storage_failed', 'the relay could not save its tokens', { cause: thrown });
    }
  };
  const follow = async () => {
    try {
      // in turn: what was read before a change must not be taken for what is there after it
      await writing.run(async () => {
        use(await readTokens(dataDir.path));
      });
    } catch (error) {
      // the tokens stay as they were; a damaged file must not let anybody in, nor shut out everybody
      log.error('tokens not read', { reason: toTabmeshError(error).message });
    }
  };
  const watcher = () => void follow();
  watchFile(tokenFile(dataDir.path), { interval: WATCH_MS, persistent: false }, watcher);

  return {
    owner,
    verify(token) {
      const hash = hashSecret(token);
      if (equal(hash, ownerHash)) {
        return OWNER;
      }
      const found = byHash.get(hash);
      if (found === undefined) return undefined;
      usedAt.set(found.id, clock.now());
      const { id, name, room, device, perMinute } = found;
      return { id, name, room, device, owned: device === null, scope: scopeOf(found), perMinute };
    },
    async create({ room, device, maker }, request) {
      const checked = readTokenRequest(request, clock.now());
      if (maker !== undefined) checkAttenuates(checked, maker);
      const parent = maker === undefined || maker.id === OWNER_TOKEN_ID ? null : maker.id;
      const token = newSecret('tm');
      const entry = made(checked, { room, device, parent, hash: hashSecret(token) }, clock.now());
      await change(entry.add);
      return { id: entry.id, name: checked.name, token, mcp };
    },
    list: (device) =>
      [...byHash.values()]
        .filter((token) => device === undefined || token.device === device)
        .map((token) => infoOf(token, usedAt.get(token.id) ?? null)),
    async revoke(id, device) {
      const now = [...byHash.values()];
      const rest = new Set(without(now, id, device));
      const gone = now.filter((token) => !rest.has(token)).map((token) => token.id);
      for (const each of gone) leaving.add(each);
      // refused from here on, however long the disk takes
      use(now);
      try {
        await change((tokens) => without(tokens, id, device));
      } catch (thrown) {
        if (!(thrown instanceof TabmeshError && thrown.code === 'not_found')) throw thrown;
        // a command has taken it back in the same moment
      } finally {
        for (const each of gone) leaving.delete(each);
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    close() {
      unwatchFile(tokenFile(dataDir.path), watcher);
    },
  };
}

/** The owner's token of this folder, made when there is none. @throws the file system's error */
async function ownerToken(path: string): Promise<string> {
  const text = (await readFileIfThere(path))?.trim();
  if (text !== undefined && text !== '') return text;
  const token = newSecret('tm');
  await writeFileAtomic(path, `${token}\n`);
  return token;
}

function index(tokens: readonly StoredToken[]): ReadonlyMap<string, StoredToken> {
  return new Map(tokens.map((token) => [token.hash, token]));
}

function scopeOf({ classes, tools, expiresAt }: StoredToken): TokenScope {
  return { classes, tools, expiresAt: expiresAt === null ? null : Date.parse(expiresAt) };
}

/** What is told of a stored token. @param lastUsedAt ms since the epoch */
export function infoOf(token: StoredToken, lastUsedAt: number | null): TokenInfo {
  const { id, name, room, device, perMinute, createdAt } = token;
  return { id, name, room, device, perMinute, ...scopeOf(token), createdAt: Date.parse(createdAt), lastUsedAt };
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
