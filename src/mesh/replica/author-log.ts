import type { SignedUpdate } from '../../contracts/replica.ts';
import { NO_CHAIN, chainOf, costOf, equal, extend, isBefore, isWhole, partsAt, placeEntry } from './chain.ts';
import type { AuthorHead, Chain, Place, RejectReason } from './chain.ts';
import { encodeEntry } from './entry.ts';
import { ENTRY_OVERHEAD_BYTES } from './limits.ts';

/** Entries of an epoch from its first to the one before `below`. */
export interface Span {
  readonly epoch: number;
  readonly below: number;
}

export interface AuthorLogOptions {
  /** undefined when nothing of the author is held */
  readonly head: AuthorHead | undefined;
  readonly hashOf: (entry: SignedUpdate) => Uint8Array;
  /** entries that are stored; ends at the first that is not there */
  readonly read: (epoch: number, from: number, count: number) => Promise<readonly SignedUpdate[]>;
  /** bytes that may be added to what is stored */
  readonly budget: number;
  /** ms since the Unix epoch */
  readonly now: number;
}

/** One author's log while entries are being taken; what comes of it is written in one go afterwards. */
export class AuthorLog {
  readonly #options: AuthorLogOptions;
  #head: AuthorHead;
  /** what was taken, in the order of the log */
  #taken: SignedUpdate[] = [];
  /** what is kept of all that is held; undefined when that is everything */
  #spans: readonly Span[] | undefined;
  #changed = false;

  constructor(options: AuthorLogOptions) {
    this.#options = options;
    this.#head = options.head ?? { ...NO_CHAIN, staged: null, fork: null, seenAt: options.now };
  }

  get head(): AuthorHead {
    return this.#head;
  }

  /** what to add to the store, which is still held after all of it */
  get taken(): readonly SignedUpdate[] {
    return this.#taken;
  }

  get spans(): readonly Span[] | undefined {
    return this.#spans;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /**
   * Takes what it can of correctly signed entries of the author, in any order.
   * @returns why the others were not taken, if there were such
   */
  async takeAll(entries: readonly SignedUpdate[]): Promise<RejectReason | undefined> {
    const ordered = [...entries].sort((a, b) => a.epoch - b.epoch || a.seq - b.seq);
    let reason: RejectReason | undefined;
    // a proof may come by itself, and of an epoch that is held no longer: its two entries stand next to each other
    for (const [index, entry] of ordered.entries()) {
      const next = ordered[index + 1];
      if (next !== undefined && (await this.#lookForFork(entry, next))) reason = 'forked';
    }
    for (const entry of ordered) {
      const why = await this.#take(entry);
      if (why === undefined) continue;
      if (reason === undefined || why === 'forked') reason = why;
    }
    return reason;
  }

  async #take(entry: SignedUpdate): Promise<RejectReason | undefined> {
    const verdict = placeEntry(this.#head, entry);
    switch (verdict.kind) {
      case 'rejected':
        return verdict.reason;
      case 'stale':
        return undefined;
      case 'taken': {
        const held = await this.#at(entry.epoch, entry.seq);
        return held !== undefined && (await this.#lookForFork(held, entry)) ? 'forked' : undefined;
      }
      case 'broken': {
        const held = await this.#at(entry.epoch, entry.seq - 1);
        return held !== undefined && (await this.#lookForFork(held, entry)) ? 'forked' : 'gap';
      }
      case 'begins':
      case 'next':
        return this.#add(entry, verdict.kind === 'begins');
    }
  }

  #add(entry: SignedUpdate, begins: boolean): RejectReason | undefined {
    const added = entry.update.byteLength + ENTRY_OVERHEAD_BYTES;
    if (costOf(this.#head) - costOf(this.#options.head) + added > this.#options.budget) return 'over_limit';
    const before = begins ? NO_CHAIN : (chainOf(this.#head, entry.epoch) ?? NO_CHAIN);
    const chain = extend(before, entry, this.#options.hashOf(entry));
    this.#changed = true;
    this.#taken.push(entry);
    const { staged, fork } = this.#head;
    if (entry.epoch === this.#head.epoch) {
      this.#head = { ...this.#head, ...chain, seenAt: this.#options.now };
    } else if (isWhole(chain)) {
      this.#head = { ...chain, staged: null, fork, seenAt: this.#options.now };
      this.#keep([{ epoch: chain.epoch, below: chain.seq + 1 }]);
    } else {
      this.#head = { ...this.#head, staged: chain };
      if (staged !== null && begins) this.#keep([this.#head, chain].map(spanOf));
    }
    return undefined;
  }

  /** @returns whether the two prove a fork that is not known, or an earlier one; the log ends before it then */
  async #lookForFork(a: SignedUpdate, b: SignedUpdate): Promise<boolean> {
    const place = partsAt(a, b, this.#options.hashOf);
    const { fork } = this.#head;
    if (place === undefined || (fork !== null && !isBefore(place, fork))) return false;
    const chain = await this.#upTo(place);
    this.#changed = true;
    this.#head = {
      ...chain,
      staged: null,
      fork: { ...place, proof: [encodeEntry(a), encodeEntry(b)] },
      seenAt: this.#options.now,
    };
    this.#keep([spanOf(chain)]);
    return true;
  }

  /** The chain of the place's epoch as it was before that place. */
  async #upTo({ epoch, seq }: Place): Promise<Chain> {
    const whole = chainOf(this.#head, epoch);
    let chain: Chain = { ...NO_CHAIN, epoch };
    const count = Math.min(seq, (whole?.seq ?? -1) + 1);
    if (count === 0) return chain;
    const taken = new Map(this.#taken.filter((entry) => entry.epoch === epoch).map((entry) => [entry.seq, entry]));
    const stored = await this.#options.read(epoch, 0, count);
    for (let at = 0; at < count; at++) {
      const entry = taken.get(at) ?? stored[at];
      if (entry === undefined) return chain;
      chain = extend(chain, entry, this.#options.hashOf(entry));
    }
    return chain;
  }

  async #at(epoch: number, seq: number): Promise<SignedUpdate | undefined> {
    const taken = this.#taken.find((entry) => entry.epoch === epoch && entry.seq === seq);
    return taken ?? (await this.#options.read(epoch, seq, 1))[0];
  }

  #keep(spans: readonly Span[]): void {
    this.#spans = spans;
    this.#taken = this.#taken.filter(({ epoch, seq }) =>
      spans.some((span) => span.epoch === epoch && seq < span.below),
    );
  }
}

const spanOf = ({ epoch, seq }: Chain): Span => ({ epoch, below: seq + 1 });

/** The same entry, signature included: nothing left to verify. */
export function isSame(a: SignedUpdate, b: SignedUpdate): boolean {
  return equal(a.signature, b.signature) && equal(a.update, b.update) && equal(a.prev, b.prev);
}
