import type { RoomHit, SearchHit, ShardAnswer } from '../contracts/search.ts';
import type { DeviceId } from '../lib/ids.ts';

/** What one device's shard answered. */
export interface DeviceShardAnswer {
  readonly device: DeviceId;
  readonly name: string;
  readonly answer: ShardAnswer;
}

/**
 * One ranking of several shards' hits. A record that several devices returned is there once, with its best score.
 * The order of `answers` does not matter: equal scores are in the order of record ids, and of equal finds of one
 * record the one of the lowest device id counts.
 * @param topK hits to keep at most
 */
export function mergeShards(answers: readonly DeviceShardAnswer[], topK: number): RoomHit[] {
  const found = new Map<string, { hit: SearchHit; from: DeviceShardAnswer; devices: Set<DeviceId> }>();
  for (const from of [...answers].sort((a, b) => compare(a.device, b.device))) {
    for (const hit of from.answer.hits) {
      const known = found.get(hit.recordId);
      const devices = (known?.devices ?? new Set()).add(from.device);
      const better = known === undefined || hit.score > known.hit.score;
      found.set(hit.recordId, { hit: better ? hit : known.hit, from: better ? from : known.from, devices });
    }
  }
  return [...found.values()]
    .sort((a, b) => b.hit.score - a.hit.score || compare(a.hit.recordId, b.hit.recordId))
    .slice(0, topK)
    .map(({ hit, from, devices }) => ({
      ...hit,
      device: from.device,
      deviceName: from.name,
      alsoOn: [...devices].filter((device) => device !== from.device).sort(),
    }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
