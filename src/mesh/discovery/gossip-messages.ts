import type { PeerRecord } from '../../contracts/discovery.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { recordFromPlain, recordToPlain } from './record.ts';

/** Method that every peer serves to members: whom do relays list to you? */
export const PEERS_METHOD = 'tabmesh/peers';

/** The largest room a relay lists, less than a frame. */
const MAX_TOLD = 250;

/**
 * What a member answers to {@link PEERS_METHOD}. Times are told as ages: two devices' clocks need not agree.
 * @param records what it can vouch for itself. Hearsay is not passed on, else a peer that is gone would be handed round for
 *   ever
 */
export function encodePeers(records: readonly PeerRecord[], now: number): Record<string, unknown> {
  return {
    peers: records.slice(0, MAX_TOLD).map((record) => {
      const { first_seen, last_seen, ...same } = recordToPlain(record);
      return { ...same, first_seen_ago: age(first_seen, now), last_seen_ago: age(last_seen, now) };
    }),
  };
}

/**
 * Reads such an answer.
 * @returns the records of `gossip`; one that is broken or from the future is left out, without harm to the others
 * @throws `protocol_error` when the answer itself is something else
 */
export function decodePeers(answer: unknown, now: number): readonly PeerRecord[] {
  const peers = isPlainMap(answer) ? answer['peers'] : undefined;
  if (!Array.isArray(peers) || peers.length > MAX_TOLD) {
    throw new TabmeshError('protocol_error', 'the member answered something else than peers');
  }
  return peers.flatMap((value: unknown) => {
    if (!isPlainMap(value)) return [];
    const { first_seen_ago: first, last_seen_ago: last, ...same } = value;
    if (!isAge(first) || !isAge(last)) return [];
    try {
      const seconds = now / 1000;
      const record = recordFromPlain({ ...same, first_seen: seconds - first, last_seen: seconds - last });
      return [{ ...record, source: 'gossip' as const }];
    } catch {
      // of another version, or a lie: the member's other records may be good
      return [];
    }
  });
}

const age = (seconds: number, now: number): number => Math.max(0, now / 1000 - seconds);

const isAge = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
