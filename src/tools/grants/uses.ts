import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { nonceName, type GrantUses } from './check.ts';
import { CLOCK_SKEW_SECONDS, MAX_COUNTED, MAX_COUNTED_PER_ROOT, NONCE_SECONDS } from './limits.ts';
import type { GrantToken } from './token.ts';

const KEY = 'access/grant-uses';
const VERSION = 1;

/** A count, until when it matters, in seconds since the epoch, and the grant that its token comes from. */
interface Counted {
  readonly calls: number;
  readonly until: number;
  /** absent in what was kept before it was told */
  readonly root?: string;
}

/** A nonce that was seen. */
type Seen = Omit<Counted, 'calls'>;

/** What was used of grants here, as it was read under the lock. */
export class KeptUses implements GrantUses {
  readonly #calls: Map<string, Counted>;
  readonly #nonces: Map<string, Seen>;

  constructor(calls: Iterable<readonly [string, Counted]>, nonces: Iterable<readonly [string, Seen | number]>) {
    this.#calls = new Map(calls);
    // a bare number is of before roots were told
    this.#nonces = new Map(
      Array.from(nonces, ([name, seen]) => [name, typeof seen === 'number' ? { until: seen } : seen]),
    );
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
        return new KeptUses(calls as [string, Counted][], nonces as [string, Seen | number][]);
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
   * Counts a call that the chain has allowed: of tokens that bound their calls, and of the root, whose owner sees it.
   * @param now seconds since the epoch
   * @throws `rate_limited` when more tokens are in use here than are counted, of one grant or in all: one that is forgotten
   *   would begin anew
   */
  count(chain: readonly GrantToken[], now: number): void {
    const [root, leaf] = [chain[0], chain.at(-1)];
    if (root === undefined || leaf === undefined) return;
    // a token is taken for so long after its end
    const endOf = ({ claims }: GrantToken, otherwise: number) =>
      claims.expiry === null ? otherwise : claims.expiry + CLOCK_SKEW_SECONDS;
    for (const [cid, { until }] of this.#calls) if (until < now) this.#calls.delete(cid);
    for (const [name, { until }] of this.#nonces) if (until < now) this.#nonces.delete(name);
    for (const token of chain) {
      if (token !== root && !boundsCalls(token)) continue;
      const until = endOf(token, Number.MAX_SAFE_INTEGER);
      this.#calls.set(token.cid, { calls: this.callsOf(token.cid) + 1, until, root: root.cid });
    }
    if (leaf.claims.nonce) {
      this.#nonces.set(nonceName(leaf), { until: endOf(leaf, now + NONCE_SECONDS), root: root.cid });
    }
    for (const kept of [this.#calls, this.#nonces]) {
      const ofRoot = [...kept.values()].filter((each) => each.root === root.cid).length;
      if (ofRoot > MAX_COUNTED_PER_ROOT) throw tooMany('more grants that come from this one');
      if (kept.size > MAX_COUNTED) throw tooMany('more grants');
    }
  }

  async write(store: KeyValueStore): Promise<void> {
    await store.put(KEY, { version: VERSION, calls: [...this.#calls], nonces: [...this.#nonces] });
  }
}

/** Whether it matters how often the token was used. */
const boundsCalls = ({ claims }: GrantToken): boolean =>
  claims.capabilities.some(({ budget = {} }) => Object.hasOwn(budget, 'calls'));

function tooMany(what: string): TabmeshError {
  return new TabmeshError('rate_limited', `${what} are in use at this device than it counts`, {
    hint: 'Try again when some of them have expired.',
    retryable: true,
  });
}
