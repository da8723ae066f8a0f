import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { PeerId } from '../../lib/ids.ts';

/**
 * Direct links a tab keeps without being asked: an RTCPeerConnection costs each side memory, a port and keep-alives, and
 * browsers allow a few hundred. Twelve make a room of thirteen complete.
 */
const DIRECT_NEIGHBOURS = 12;

/**
 * Whether two tabs of a room should be linked directly, answered alike on both sides without a word between them: on a
 * ring ordered by the hashes of their ids each is linked to the `count / 2` next to it on either side (a circulant graph,
 * connected whatever the ids). Others reach each other through a relay, and directly on demand.
 * @param room all tabs known to be there; `a` and `b` count as being there
 * @param count even
 */
export function areNeighbours(a: PeerId, b: PeerId, room: Iterable<PeerId>, count = DIRECT_NEIGHBOURS): boolean {
  const peers = [...new Set([...room, a, b])];
  if (peers.length <= count + 1) return true;
  const ring = peers.map((peer) => ({ peer, at: place(peer) })).sort((x, y) => (x.at < y.at ? -1 : 1));
  const distance = Math.abs(ring.findIndex(({ peer }) => peer === a) - ring.findIndex(({ peer }) => peer === b));
  return Math.min(distance, ring.length - distance) <= count / 2;
}

const places = new Map<PeerId, string>();
/** Rooms are small and their peers come back. */
const MAX_PLACES = 1_000;

function place(peer: PeerId): string {
  const known = places.get(peer);
  if (known !== undefined) return known;
  if (places.size >= MAX_PLACES) places.clear();
  const at = bytesToHex(sha256(utf8ToBytes(peer)));
  places.set(peer, at);
  return at;
}
