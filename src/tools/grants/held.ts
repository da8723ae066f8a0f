import type { HeldGrant, HeldGrantsPort } from '../../contracts/grants.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import type { Exclusive } from '../approvals/book.ts';
import { allows } from './capability.ts';
import { MAX_DEPTH, MAX_HELD } from './limits.ts';
import { readGrantToken, type GrantToken } from './token.ts';

const MS = 1000;

export interface HeldGrantsOptions {
  readonly store: KeyValueStore;
  /** of the keys in the store, one for each grant */
  readonly prefix: string;
  readonly lock: Exclusive;
  /** of this device */
  readonly did: string;
  readonly onAdded?: () => void;
  readonly clock: Clock;
}

interface Kept {
  readonly tokens: readonly string[];
  /** ms since the epoch */
  readonly at: number;
}

/** The delegation tokens that a device was given in one room. */
export class HeldGrants implements HeldGrantsPort {
  readonly #options: HeldGrantsOptions;

  constructor(options: HeldGrantsOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly HeldGrant[]> {
    return (await this.#current()).map(({ leaf: { cid, claims } }) => ({ cid, claims }));
  }

  async add(text: string): Promise<HeldGrant> {
    const { store, prefix, lock, did, onAdded, clock } = this.#options;
    const tokens = text.split(/\s+/).filter((token) => token !== '');
    const leaf = readLeaf(tokens);
    const { cid, claims } = leaf;
    if (claims.audience !== did) {
      throw new TabmeshError('invalid_input', 'this grant is for somebody else', {
        hint: 'It works only for the device or token that it names. Ask for one that is issued to this device.',
      });
    }
    if (hasEnded(leaf, clock.now())) throw new TabmeshError('invalid_input', 'the time of this grant is over');
    await lock.run(async () => {
      if ((await this.#current()).length >= MAX_HELD) {
        throw new TabmeshError('rate_limited', `this device keeps ${MAX_HELD} grants already`, {
          hint: 'Remove one that is not needed any more.',
        });
      }
      await store.put(prefix + cid, { tokens, at: clock.now() } satisfies Kept);
      onAdded?.();
    });
    return { cid, claims };
  }

  async remove(cid: CidString): Promise<void> {
    const { store, prefix } = this.#options;
    await store.delete(prefix + cid);
  }

  /**
   * The chain to show with a call, by what its last token allows; null when none is about it.
   * @param call the place as grants name it, the tool, and the call's arguments
   */
  async chainFor(call: {
    readonly resource: string;
    readonly tool: string;
    readonly args: unknown;
  }): Promise<readonly string[] | null> {
    const args = isPlainMap(call.args) ? call.args : {};
    const now = Math.floor(this.#options.clock.now() / MS);
    const wanted = {
      resource: call.resource,
      ability: `tools/${call.tool}`,
      // how much is left, the place knows
      budget: { calls: 1, bytes: 0 },
      args,
      now,
    };
    const found = (await this.#current()).find(({ leaf: { claims } }) =>
      claims.capabilities.some((capability) => allows(capability, wanted)),
    );
    return found?.tokens ?? null;
  }

  /** Newest first; what has ended is deleted. */
  async #current(): Promise<readonly (Kept & { readonly leaf: GrantToken })[]> {
    const { store, prefix, clock } = this.#options;
    const keys = await store.keys(prefix);
    const kept = (await store.getMany<unknown>(keys)).map((value) =>
      isKept(value) ? { ...value, leaf: readLeaf(value.tokens) } : null,
    );
    const now = clock.now();
    const current = kept.filter((each) => each !== null && !hasEnded(each.leaf, now)) as NonNullable<
      (typeof kept)[number]
    >[];
    const over = keys.filter((_, n) => !current.some((each) => each === kept[n]));
    if (over.length > 0) await store.batch(over.map((key) => ({ key, value: undefined })));
    return current.sort((a, b) => b.at - a.at);
  }
}

function readLeaf(tokens: readonly string[]): GrantToken {
  if (tokens.length > MAX_DEPTH) {
    throw new TabmeshError('invalid_input', `a chain of grants has at most ${MAX_DEPTH} tokens`);
  }
  try {
    const leaf = tokens.map(readGrantToken).at(-1);
    if (leaf !== undefined) return leaf;
  } catch (thrown) {
    throw new TabmeshError('invalid_input', `this is not a grant: ${toTabmeshError(thrown).message}`, {
      hint: 'Copy the whole text of the grant, with nothing before or after it.',
      cause: thrown,
    });
  }
  throw new TabmeshError('invalid_input', 'there is no grant in this text');
}

const hasEnded = ({ claims: { expiry } }: GrantToken, now: number): boolean => expiry !== null && now > expiry * MS;

const isKept = (value: unknown): value is Kept =>
  isPlainMap(value) &&
  typeof value['at'] === 'number' &&
  Array.isArray(value['tokens']) &&
  value['tokens'].every((token) => typeof token === 'string');
