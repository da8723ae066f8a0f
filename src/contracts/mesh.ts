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
  /** how busy its main thread has been lately, 0 to 1; null when it cannot tell */
  readonly load: number | null;
  /** null without one, or when the browser does not tell */
  readonly battery: Battery | null;
  /** whom it is linked to, as it says itself */
  readonly links: readonly PeerLink[];
  /** ms since the epoch */
  readonly since: number;
}

/** The power that a device runs on. */
export interface Battery {
  /** 0 to 1 */
  readonly level: number;
  readonly charging: boolean;
}

/** A link as one of its two ends sees it. */
export interface PeerLink {
  readonly peer: PeerId;
  readonly direct: boolean;
  /** smoothed round trip, ms; null until measured */
  readonly latencyMs: number | null;
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
  /**
   * members answer, and let this device in no more: it has been put out, or is on no list since the secret changed. Their
   * word alone, not proven
   */
  | { readonly state: 'refused'; readonly message: string }
  /** no relay and no member */
  | { readonly state: 'offline'; readonly message: string; readonly retryAt: number | null };

/** How this peer stands to one relay of the room. */
export interface RelayStatus {
  readonly peer: PeerId;
  /** `host:port` */
  readonly host: string;
  readonly state: 'connecting' | 'joined' | 'offline';
  /** it lets this peer in only by another access key, or by one at all */
  readonly wantsKey: boolean;
  /** why it is offline; null otherwise */
  readonly message: string | null;
  /** when it is tried again, ms since the epoch; null unless offline */
  readonly retryAt: number | null;
}

/**
 * Who made a room. The room's id is a hash of this, so nobody can name another owner for it: the owner alone, and whom it
 * appoints, may change the room's secret and block devices.
 */
export interface RoomOrigin {
  readonly owner: DeviceId;
  /** 16 bytes, so that a device can own many rooms */
  readonly salt: Uint8Array;
}

/**
 * What an invite link carries in its fragment. The secret never goes into an HTTP request.
 * Text form: `#join=` + base64url(dag-cbor of `{v, room, origin, epoch, secret, name, relays, access, told}`).
 */
export interface Invite {
  readonly version: 2;
  readonly room: RoomId;
  /** null: the room is of a time when rooms had no owner; its secret cannot be changed */
  readonly origin: RoomOrigin | null;
  readonly epoch: number;
  /** 32 bytes */
  readonly secret: Uint8Array;
  readonly roomName: string;
  /** multiaddrs of relays with their peer ids */
  readonly relays: readonly string[];
  /** The same of relays that members tell of: these introduce and carry, and nothing else is believed of them. */
  readonly told?: readonly string[];
  /**
   * By the relay's peer id: the key that lets a peer reserve and be relayed there. Apart from the room's secret, so that a
   * relay can take it back, and that it tells the relay nothing about the room.
   */
  readonly access: Readonly<Record<string, Uint8Array>>;
}

/** What the joining person is shown before anything is connected. */
export interface InvitePreview {
  readonly room: RoomId;
  readonly roomName: string;
  /** host:port of each relay, readable */
  readonly relays: readonly string[];
  readonly known: boolean;
}

/** A device that belongs, or no longer belongs, to the room. */
export interface RoomMember {
  readonly device: DeviceId;
  readonly name: string;
  readonly kind: 'tab' | 'relay';
  readonly self: boolean;
  readonly online: boolean;
  readonly role: 'maker' | 'owner' | 'member' | 'blocked';
  /** two copies of it have written different things under one key: the room takes nothing of it any more */
  readonly forked: boolean;
}

export interface RoomMemberList {
  /** grows with every new secret */
  readonly epoch: number;
  /** owners first, blocked last, by name */
  readonly members: readonly RoomMember[];
  /** whether this device may change the secret and block devices */
  readonly canManage: boolean;
  /** whether this device may appoint owners */
  readonly isMaker: boolean;
}
