import type { Connection } from '@libp2p/interface';
import type { DeviceId, PeerId } from '../../lib/ids.ts';

/** A side that has proven membership. */
export interface Proven {
  readonly peer: PeerId;
  readonly device: DeviceId;
  readonly kind: 'tab' | 'relay';
  /** it says that it is a relay, known here as one (`kind`) or not */
  readonly saysRelay?: boolean;
  readonly protocols: readonly string[];
  readonly version: number;
}

/** A connection on which both sides have proven membership. */
export interface MemberLink {
  readonly connection: Connection;
  readonly member: Proven;
  /** true while bytes do not go through a relay */
  readonly direct: boolean;
}

/** The proven connections, as sessions need to know them. */
export interface MemberLinks {
  /** the best one to a peer */
  linkTo(peer: PeerId): MemberLink | undefined;
  /** Resolves when the connection is proven. @throws `not_a_member` */
  proven(connection: Connection): Promise<Proven>;
  /** called when a connection is proven and when a proven one has closed; returns the unsubscribe function */
  subscribe(listener: (event: { type: 'opened' | 'closed'; link: MemberLink }) => void): () => void;
}
