import type { AuditStore, UnchainedEvent } from '../../contracts/audit.ts';
import type { Clock } from '../../lib/clock.ts';
import { CHAIN_START, lineOf, linkEntry, readLine, type Link } from './chain.ts';
import type { AuditHashes } from './hashes.ts';
import type { AuditLimits } from './limits.ts';
import { note } from './note.ts';
import { prunedText } from './pruned.ts';

const encoder = new TextEncoder();

/** Appends to the newest segment, begins new ones, and deletes those that are over the limits. */
export class ChainWriter {
  readonly #store: AuditStore;
  readonly #hash: AuditHashes['hash'];
  readonly #limits: AuditLimits;
  readonly #clock: Clock;
  /** where the log ended when this writer last wrote: others may have written since */
  #known: Awaited<ReturnType<AuditStore['tail']>> | undefined;
  #link: Link = CHAIN_START;
  written = 0;

  constructor(store: AuditStore, hash: AuditHashes['hash'], limits: AuditLimits, clock: Clock) {
    this.#store = store;
    this.#hash = hash;
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Writes events as the next entries. Alone: within `exclusive` of the store.
   * @param take gives them away; asked once, when they can be written at once
   * @throws the store's error; what was taken is then not written
   */
  async append(take: () => readonly UnchainedEvent[]): Promise<void> {
    const tail = await this.#store.tail();
    if (this.#known === undefined || !isSame(this.#known, tail)) {
      this.#link = await this.#lastLink((await this.#store.segments()).map(({ number }) => number).reverse());
    }
    let { number, bytes } = tail ?? { number: 1, bytes: 0 };
    let old: readonly number[] = [];
    let removed: Link | null = null;
    if (bytes >= this.#limits.segmentBytes) {
      number++;
      bytes = 0;
      old = await this.#overLimits();
      if (old.length > 0) removed = await this.#lastLink(old.toReversed());
    }
    let link = this.#link;
    const taken = take();
    if (taken.length === 0) return;
    const now = this.#clock.now();
    const events = removed === null ? taken : [{ event: note(prunedText(removed)), at: now }, ...taken];
    const text = events
      .map(({ event, at }) => {
        const entry = linkEntry(link, event, at, this.#hash);
        link = entry;
        return lineOf(entry);
      })
      .join('');
    await this.#store.append(number, text, now);
    this.#link = link;
    this.#known = { number, bytes: bytes + encoder.encode(text).byteLength };
    this.written += events.length;
    // after the note of it is written: what a crash leaves here goes next time, and was never missing without a word
    for (const each of old) await this.#store.remove(each);
  }

  /** The oldest segments that there is no room or time for any more. */
  async #overLimits(): Promise<readonly number[]> {
    const { totalBytes, maxAgeMs } = this.#limits;
    const segments = await this.#store.segments();
    let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    const over: number[] = [];
    for (const segment of segments) {
      const tooOld = this.#clock.now() - segment.writtenAt > maxAgeMs;
      if (!tooOld && bytes <= totalBytes) break;
      over.push(segment.number);
      bytes -= segment.bytes;
    }
    return over;
  }

  /** Where the chain stands after the newest of these segments that has an entry. */
  async #lastLink(newestFirst: readonly number[]): Promise<Link> {
    for (const number of newestFirst) {
      for (const line of (await this.#store.lines(number)).toReversed()) {
        try {
          return readLine(line, this.#hash);
        } catch {
          // `verify` reports it; the chain goes on from the last entry that is whole
        }
      }
    }
    return CHAIN_START;
  }
}

const isSame = (known: { number: number; bytes: number } | null, tail: typeof known): boolean =>
  known?.number === tail?.number && known?.bytes === tail?.bytes;
