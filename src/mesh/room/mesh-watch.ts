import type { PeerId } from '../../lib/ids.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import type { Introduction } from '../rendezvous/messages.ts';

/** Told of what the mesh learns of other peers; discovery and its measurements live of it. */
export interface MeshWatch {
  introduced(introduction: Introduction, by: RelayAddress): void;
  left(peer: PeerId, by: RelayAddress): void;
  relayGone(relay: RelayAddress): void;
  /** A try to get into a relay has ended. @param error why it failed; null: it worked */
  relayTried(relay: RelayAddress, durationMs: number, error: string | null): void;
  /** a ping's round trip in ms; null when it was not answered */
  probed(peer: PeerId, latencyMs: number | null): void;
  transferred(peer: PeerId, bytes: number): void;
}
