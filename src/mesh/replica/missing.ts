import type { Heads, LogPosition, SignedUpdate } from '../../contracts/replica.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { equal, isBefore } from './chain.ts';
import type { Place } from './chain.ts';
import { decodeEntry } from './entry.ts';
import { MAX_BATCH_BYTES } from './limits.ts';
import type { ReplicaLog } from './log.ts';

/**
 * What somebody lacks, in the order of the logs, and the proofs of forks that it does not know of; at most `limit` entries
 * and one batch of bytes. Who has read as far as we have, and another history, is sent all of ours: it finds where they part.
 * @param held how far the logs are held here
 * @param theirs how far the other one has them
 */
export async function entriesMissing(
  log: Pick<ReplicaLog, 'head' | 'read'>,
  held: Heads,
  theirs: Heads,
  limit: number,
): Promise<readonly SignedUpdate[]> {
  const batch: SignedUpdate[] = [];
  let bytes = 0;
  const isFull = () => batch.length >= limit || bytes >= MAX_BATCH_BYTES;
  const add = (entry: SignedUpdate) => {
    batch.push(entry);
    bytes += entry.update.byteLength;
  };

  for (const [author, ours] of Object.entries(held) as [DeviceId, LogPosition][]) {
    if (isFull()) break;
    const span = spanFor(ours, theirs[author]);
    const read = (from: number) =>
      log.read(author, ours.epoch, from, Math.min(span.to - from + 1, limit - batch.length));
    let entries = span.from <= span.to ? await read(span.from) : [];
    // the first names the hash of the one before it
    const isOfOneHistory = entries[0] === undefined || span.hash === undefined || equal(entries[0].prev, span.hash);
    if (!isOfOneHistory) entries = await read(0);
    for (const entry of entries) {
      add(entry);
      if (isFull()) return batch;
    }
    if (!span.proof) continue;
    const fork = (await log.head(author))?.fork;
    // both in one message: of an epoch that is held no longer they prove something only together
    if (batch.length + 2 > limit) return batch;
    for (const entry of fork?.proof ?? []) add(decodeEntry(entry));
    if (isFull()) return batch;
  }
  return batch;
}

interface Span {
  readonly from: number;
  readonly to: number;
  /** what the entry before `from` must be, where that can be told */
  readonly hash?: Uint8Array;
  /** whether the proof of the fork is missing */
  readonly proof: boolean;
}

function spanFor(ours: LogPosition, theirs: LogPosition | undefined): Span {
  const [ourFork, theirFork] = [forkOf(ours), forkOf(theirs)];
  const theirsIsFirst = theirFork !== undefined && (ourFork === undefined || isBefore(theirFork, ourFork));
  const proof = ourFork !== undefined && (theirFork === undefined || isBefore(ourFork, theirFork));
  // beyond their fork nothing is of use to them
  const to = theirsIsFirst ? Math.min(ours.seq, theirFork.seq - 1) : ours.seq;
  if (theirsIsFirst && theirFork.epoch !== ours.epoch) return { from: 0, to: -1, proof };
  if (theirs?.staged?.epoch === ours.epoch && theirs.epoch < ours.epoch) {
    // as far as ours goes it is whole: who has as much and is not done has begun another one
    const isOther = theirs.staged.seq >= ours.seq;
    return isOther ? { from: 0, to, proof } : { from: theirs.staged.seq + 1, to, hash: theirs.staged.hash, proof };
  }
  if (theirs === undefined || theirs.epoch < ours.epoch) return { from: 0, to, proof };
  if (theirs.epoch > ours.epoch) return { from: 0, to: -1, proof };
  if (theirs.hash === undefined || theirs.seq < 0) return { from: theirs.seq + 1, to, proof };
  const isOther = theirs.seq === ours.seq && ours.hash !== undefined && !equal(ours.hash, theirs.hash);
  return isOther ? { from: 0, to, proof } : { from: theirs.seq + 1, to, hash: theirs.hash, proof };
}

function forkOf(position: LogPosition | undefined): Place | undefined {
  return position?.fork === undefined ? undefined : { epoch: position.epoch, seq: position.fork };
}
