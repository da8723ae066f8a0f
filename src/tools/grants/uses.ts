import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { nonceName, type GrantUses } from './check.ts';
import { MAX_COUNTED, NONCE_SECONDS } from './limits.ts';
import type { GrantToken } from './token.ts';

const KEY = 'access/grant-uses';
const VERSION = 1;

/** A count or a nonce, and until when it matters: seconds since the epoch. */
interface Counted {
  readonly calls: number;
  readonly until: number;
}

/** What was used of grants here, as it was read under the lock. */
export class KeptUses implements GrantUses {
  readonly #calls: Map<string, Counted>;
  readonly #nonces: Map<string, number>;

  constructor(calls: Iterable<readonly [string, Counted]>, nonces: Iterable<readonly [string, number]>) {
    this.#calls = new Map(calls);
    this.#nonces = new Map(nonces);
  }

  /** @throws `format_newer`, `corrupt`, `storage_failed` */
  static async read(store: KeyValueStore): Promise<KeptUses> {
    const kept = await store.get<unknown>(KEY);
    if (kept === undefined) return new KeptUses([], []);
    if (isPlainMap(kept)) {
      const { version, calls, nonces } = kept;
      if (typeof version === 'number' && version > VERSION) {
        throw new TabmeshError('format_newer', `uses of grants of version ${version}, this app reads ${VERSION}`, {
          hint: 'Update this app.',
        });
      }
      if (version === VERSION && Array.isArray(calls) && Array.isArray(nonces)) {
        return new KeptUses(calls as [string, Counted][], nonces as [string, number][]);
      }
    }
    throw new TabmeshError('corrupt', 'the stored uses of grants cannot be read');
  }

  callsOf(cid: string): number {
    return this.#calls.get(cid)?.calls ?? 0;
  }

  saw(nonce: string): boolean {
    return this.#nonces.has(nonce);
  }

  /**
   * Counts a call that the chain has allowed.
   * @param now seconds since the epoch
   * @throws `rate_limited` when more tokens are in use here than are counted: one that is forgotten would begin anew
   */
  count(chain: readonly GrantToken[], now: number): void {
    for (const [cid, { until }] of this.#calls) if (until < now) this.#calls.delete(cid);
    for (const [name, until] of this.#nonces) if (until < now) this.#nonces.delete(name);
    for (const { cid, claims } of chain) {
      const until = claims.expiry ?? Number.MAX_SAFE_INTEGER;
      this.#calls.set(cid, { calls: this.callsOf(cid) + 1, until });
    }
    const leaf = chain.at(-1);
    if (leaf?.claims.nonce) this.#nonces.set(nonceName(leaf), leaf.claims.expiry ?? now + NONCE_SECONDS);
    if (this.#calls.size <= MAX_COUNTED && this.#nonces.size <= MAX_COUNTED) return;
    throw new TabmeshError('rate_limited', 'more grants are in use at this device than it counts', {
      hint: 'Try again when some of them have expired.',
      retryable: true,
    });
  }

  async write(store: KeyValueStore): Promise<void> {
    await store.put(KEY, { version: VERSION, calls: [...this.#calls], nonces: [...this.#nonces] });
  }
}
