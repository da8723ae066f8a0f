import type { DeviceId, PeerId, RoomId } from '../lib/ids.ts';

/** A peer of this room as we see it. The peer itself is in the list too, with `link: 'self'`. */
export interface MeshPeer {
  readonly peer: PeerId;
  readonly device: DeviceId;
  /** "Amber Heron · 7f3k2q", or the name its device set */
  readonly name: string;
  readonly kind: 'tab' | 'relay';
  readonly link: 'self' | 'direct' | 'relayed' | 'connecting';
  /** smoothed round trip, ms; null until measured */
  readonly latencyMs: number | null;
  readonly visible: boolean;
  /** names of the tools it offers */
  readonly tools: readonly string[];
  /** records its shard covers */
  readonly shardRecords: number;
  /** calls it has served, by tool, since it started */
  readonly served: Readonly<Record<string, number>>;
  /** ms since the epoch */
  readonly since: number;
}

/** How this peer stands: what the connection pill shows. */
export type Connection =
  | { readonly state: 'starting'; readonly message: string }
  /** members here, all linked directly */
  | { readonly state: 'direct' }
  /** at least one member only through the relay */
  | { readonly state: 'relayed' }
  /** relay reached, nobody else here */
  | { readonly state: 'alone' }
  /** no relay and no member */
  | { readonly state: 'offline'; readonly message: string; readonly retryAt: number | null };

/**
 * What an invite link carries in its fragment. The secret never goes into an HTTP request.
 * Text form: `#join=` + base64url(dag-cbor of `{v, room, epoch, secret, name, relays}`).
 */
export interface Invite {
  readonly version: 1;
  readonly room: RoomId;
  readonly epoch: number;
  /** 32 bytes */
  readonly secret: Uint8Array;
  readonly roomName: string;
  /** multiaddrs of relays with their peer ids */
  readonly relays: readonly string[];
}

/** What the joining person is shown before anything is connected. */
export interface InvitePreview {
  readonly room: RoomId;
  readonly roomName: string;
  /** host:port of each relay, readable */
  readonly relays: readonly string[];
  readonly known: boolean;
}
