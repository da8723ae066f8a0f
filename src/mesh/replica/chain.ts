import type { SignedUpdate } from '../../contracts/replica.ts';
import { GENESIS } from './entry.ts';
import { ENTRY_OVERHEAD_BYTES, MAX_BYTES_PER_AUTHOR } from './limits.ts';

/** The entries of one epoch, as far as they are held. */
export interface Chain {
  readonly epoch: number;
  /** −1 when there are none */
  readonly seq: number;
  /** of the entry at `seq` */
  readonly hash: Uint8Array;
  /** total of the updates */
  readonly bytes: number;
  /** of how many entries the snapshot is that the epoch begins with; 0 when it begins with none */
  readonly snapshot: number;
  /** total of the snapshot's updates */
  readonly snapshotBytes: number;
}

/** Where two histories of an author part. */
export interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** Proof that an author signed two histories. */
export interface Fork extends Place {
  /** two encoded entries that no one history holds, see {@link partsAt} */
  readonly proof: readonly [Uint8Array, Uint8Array];
}

/** How far an author's log is held: the chain that counts, and what is known beside it. */
export interface AuthorHead extends Chain {
  /** the beginning of a higher epoch whose snapshot is not complete: nothing of it counts yet */
  readonly staged: Chain | null;
  /** the author is cut off: the chain ends before this place, for good */
  readonly fork: Fork | null;
  /** when the device was last heard of, ms since the Unix epoch, within a day */
  readonly seenAt: number;
}

/** Why an entry was not taken. */
export type RejectReason =
  /** an entry before this one is missing */
  | 'gap'
  /** not signed by its author, or not for this room */
  | 'bad_signature'
  /** not an update of plain values in maps, or at an impossible place */
  | 'bad_update'
  /** this entry proves that its author signed two histories */
  | 'forked'
  /** the author did so before */
  | 'cut_off'
  /** the author, or the room, is at its limit */
  | 'over_limit';

/** Reasons for which no honest peer would have passed the entry on. */
export const OFFENCES: ReadonlySet<RejectReason> = new Set<RejectReason>(['bad_signature', 'bad_update']);

export const NO_CHAIN: Chain = { epoch: 0, seq: -1, hash: GENESIS, bytes: 0, snapshot: 0, snapshotBytes: 0 };

export type Verdict =
  /** continues the chain of its epoch */
  | { readonly kind: 'next' }
  /** begins a higher epoch */
  | { readonly kind: 'begins' }
  /** its place is taken: the same entry, or a fork */
  | { readonly kind: 'taken' }
  /** follows another entry than the one held in the place before it */
  | { readonly kind: 'broken' }
  /** of an epoch that its author has replaced */
  | { readonly kind: 'stale' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason };

/** Where a correctly signed entry belongs in the log of its author. */
export function placeEntry(head: AuthorHead, entry: SignedUpdate): Verdict {
  const { fork } = head;
  if (fork !== null && (entry.epoch !== fork.epoch || entry.seq >= fork.seq)) return rejected('cut_off');
  if (entry.epoch < head.epoch) return { kind: 'stale' };
  const chain = chainOf(head, entry.epoch);
  if (chain === undefined) return entry.seq === 0 ? { kind: 'begins' } : rejected('gap');
  if (entry.seq <= chain.seq) return { kind: 'taken' };
  if (entry.seq > chain.seq + 1) return rejected('gap');
  if (!equal(entry.prev, chain.hash)) return { kind: 'broken' };
  if (chain.bytes + entry.update.byteLength > MAX_BYTES_PER_AUTHOR) return rejected('over_limit');
  return { kind: 'next' };
}

/** What is held of an epoch, if anything. */
export function chainOf(head: AuthorHead, epoch: number): Chain | undefined {
  if (head.epoch === epoch) return head;
  return head.staged?.epoch === epoch ? head.staged : undefined;
}

/** The chain after `entry`, which continues it or begins another one. @param hash of the entry */
export function extend(before: Chain, entry: SignedUpdate, hash: Uint8Array): Chain {
  const { epoch, seq } = entry;
  const chain = seq === 0 ? NO_CHAIN : before;
  const size = entry.update.byteLength;
  const snapshot = seq === 0 ? entry.snapshot : chain.snapshot;
  return {
    epoch,
    seq,
    hash,
    bytes: chain.bytes + size,
    snapshot,
    snapshotBytes: chain.snapshotBytes + (seq < snapshot ? size : 0),
  };
}

/** Whether the snapshot that a chain begins with is all there. */
export const isWhole = ({ seq, snapshot }: Chain): boolean => seq >= snapshot - 1;

/**
 * Whether two entries of one author, both correctly signed, prove that it signed two histories: they are different and of
 * one place, or the second follows another entry than the first.
 * @returns the first place at which the histories certainly differ
 */
export function partsAt(
  a: SignedUpdate,
  b: SignedUpdate,
  hashOf: (entry: SignedUpdate) => Uint8Array,
): Place | undefined {
  if (a.epoch !== b.epoch) return undefined;
  const differ = a.seq === b.seq ? !equal(hashOf(a), hashOf(b)) : a.seq + 1 === b.seq && !equal(b.prev, hashOf(a));
  return differ ? { epoch: a.epoch, seq: a.seq } : undefined;
}

/** Of several forks the first counts. It is the same one for all who know of the same forks, in whatever order. */
export function isBefore(a: Place, b: Place): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq);
}

/** What an author's log takes in a store, bytes. */
export function costOf(head: AuthorHead | undefined): number {
  if (head === undefined) return 0;
  const chains = [head, ...(head.staged === null ? [] : [head.staged])];
  const proof = head.fork === null ? 0 : head.fork.proof[0].byteLength + head.fork.proof[1].byteLength;
  return chains.reduce((sum, { seq, bytes }) => sum + bytes + (seq + 1) * ENTRY_OVERHEAD_BYTES, proof);
}

/** True when both hold the same bytes. Nothing here is secret: no constant time needed. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

const rejected = (reason: RejectReason): Verdict => ({ kind: 'rejected', reason });
