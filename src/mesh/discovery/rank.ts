import type { PeerRank, PeerRecord } from '../../contracts/discovery.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Who was seen within the same minute is here as much as the other: heartbeats are no finer. */
const SAME_TIME_MS = 60_000;

/**
 * Best first: seen in a later minute; then more reliable; then faster; then seen later; then by peer id, so that everybody
 * who knows the same orders the same. What was not measured comes after what was.
 */
export function rankRecords(
  records: readonly PeerRecord[],
  rankOf: (peer: PeerId) => PeerRank,
  now: number,
): PeerRecord[] {
  return records
    .map((record) => {
      const { reliability, latencyMs } = rankOf(record.peer);
      const minutesAgo = Math.max(0, Math.floor((now - record.lastSeen) / SAME_TIME_MS));
      return { record, key: [minutesAgo, -(reliability ?? -1), latencyMs ?? Infinity, -record.lastSeen] };
    })
    .sort((a, b) => compareKeys(a.key, b.key) || (a.record.peer < b.record.peer ? -1 : 1))
    .map(({ record }) => record);
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    // not their difference: infinity less infinity is no number
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
