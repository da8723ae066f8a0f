import type { SignedUpdate } from '../../contracts/replica.ts';
import { GENESIS } from './entry.ts';
import { MAX_BYTES_PER_AUTHOR } from './limits.ts';

/** How far an author's log is held. */
export interface AuthorHead {
  readonly epoch: number;
  readonly seq: number;
  /** hash of the entry at `seq` */
  readonly hash: Uint8Array;
  /** total of the updates of the epoch, bytes */
  readonly bytes: number;
  /** the author signed two histories: what is held stays, nothing more is taken from it */
  readonly forked: boolean;
}

/** Why an entry was not taken. */
export type RejectReason =
  /** an entry before this one is missing */
  | 'gap'
  /** not signed by its author, or not for this room */
  | 'bad_signature'
  /** not a Yjs update */
  | 'bad_update'
  /** this entry proves that its author signed two histories */
  | 'forked'
  /** the author did so before */
  | 'cut_off'
  /** the author, or the room, is at its limit */
  | 'over_limit';

export type Verdict =
  | { readonly kind: 'next' }
  /** the first entry of a higher epoch: replaces all that is held of the author */
  | { readonly kind: 'new_epoch' }
  /** its place is taken: the same entry, or a fork */
  | { readonly kind: 'taken' }
  /** of an epoch that its author has replaced */
  | { readonly kind: 'stale' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason };

/**
 * Where a correctly signed entry belongs in the hash chain of its author.
 * @param head undefined when nothing of the author is held
 */
export function placeEntry(head: AuthorHead | undefined, entry: SignedUpdate): Verdict {
  if (head?.forked === true) return rejected('cut_off');
  if (head !== undefined && entry.epoch < head.epoch) return { kind: 'stale' };
  const first = entry.seq === 0;
  if (head === undefined || entry.epoch > head.epoch) {
    if (!first) return rejected('gap');
    return equal(entry.prev, GENESIS) ? { kind: 'new_epoch' } : rejected('forked');
  }
  if (entry.seq <= head.seq) return { kind: 'taken' };
  if (entry.seq > head.seq + 1) return rejected('gap');
  if (head.bytes + entry.update.byteLength > MAX_BYTES_PER_AUTHOR) return rejected('over_limit');
  // the author signed a predecessor that is not the one it had signed before
  return equal(entry.prev, head.hash) ? { kind: 'next' } : rejected('forked');
}

/** The head after `entry` was taken. @param hash of the entry */
export function advance(head: AuthorHead | undefined, entry: SignedUpdate, hash: Uint8Array): AuthorHead {
  const before = head?.epoch === entry.epoch ? head.bytes : 0;
  return {
    epoch: entry.epoch,
    seq: entry.seq,
    hash,
    bytes: before + entry.update.byteLength,
    forked: head?.forked ?? false,
  };
}

/** True when both hold the same bytes. Nothing here is secret: no constant time needed. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

const rejected = (reason: RejectReason): Verdict => ({ kind: 'rejected', reason });
