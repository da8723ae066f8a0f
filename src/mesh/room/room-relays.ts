import type { Multiaddr } from '@multiformats/multiaddr';
import { base64url } from 'multiformats/bases/base64';
import type { Invite } from '../../contracts/mesh.ts';
import type { DeviceView } from '../../contracts/replica.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { ACCESS_KEY_BYTES, MAX_RELAYS } from '../identity/invite.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { isAt, parseRelayAddress } from '../node/relay-address.ts';

/** Each costs a connection, a reservation and a stream; a room that has lost seven of eight goes on. */
const MAX_ROOM_RELAYS = 8;

export interface RoomRelaysOptions {
  /** of the invite and of the page, best first; a relay may be there with several addresses */
  readonly invited: readonly RelayAddress[];
  /** the access key that this device has for a relay otherwise; null when it has none */
  readonly keyOf: (relay: PeerId) => Uint8Array | null;
  /** what the room's devices say of themselves, as of now */
  readonly devices: () => Iterable<Pick<DeviceView, 'device' | 'relay'>>;
  /** whether a device belongs to the room */
  readonly admits: (device: DeviceId) => boolean;
  /** whether this peer uses a relay that it was told of at this address */
  readonly usable: (relay: RelayAddress) => boolean;
}

/**
 * The relays of a room as one peer knows them: those that its invite names, and those that member relays tell of
 * themselves in the replica. A relay of the latter kind introduces and carries; nothing else is believed of it, since any
 * member may name one.
 */
export class RoomRelays {
  readonly #options: RoomRelaysOptions;
  #told: readonly RelayAddress[] = [];
  #keys: ReadonlyMap<PeerId, Uint8Array> = new Map();
  #list: readonly RelayAddress[] = [];
  #state = '';

  constructor(options: RoomRelaysOptions) {
    this.#options = options;
    this.refresh();
  }

  /** those to be used, best first */
  list(): readonly RelayAddress[] {
    return this.#list;
  }

  /** The access key for a relay; the invite's before what a member says. */
  key(relay: PeerId): Uint8Array | null {
    return this.#options.keyOf(relay) ?? this.#keys.get(relay) ?? null;
  }

  /** Whether a connection leads to a relay's own node, and to no member behind the same port. */
  isRelaysOwn(peer: string, address: Multiaddr): boolean {
    if (this.#options.invited.some((relay) => relay.peer === peer)) return true;
    // a member may call any peer a relay: it is one for us only where it was said to be
    return this.#told.some((relay) => relay.peer === peer && isAt(relay, address) && !hasPath(address));
  }

  /** What an invite to the room names besides its own relays: all that is known, whether this peer uses it or not. */
  extend(invite: Invite): Invite {
    const relays = fairly([...invite.relays, ...this.#told.map(({ address }) => address.toString())]);
    const named = new Set(relays.map((text) => text.slice(text.lastIndexOf('/') + 1)));
    const keys = Object.fromEntries(this.#keys) as Invite['access'];
    const access = Object.entries({ ...keys, ...invite.access }).filter(([relay]) => named.has(relay));
    return { ...invite, relays, access: Object.fromEntries(access) };
  }

  /** Reads the devices anew. @returns whether relays or keys are others than before */
  refresh(): boolean {
    const { invited, devices, admits, usable } = this.#options;
    const peers = new Set(invited.map(({ peer }) => peer));
    const known = new Set(invited.map(({ address }) => address.toString()));
    const told: RelayAddress[] = [];
    const keys = new Map<PeerId, Uint8Array>();
    for (const { device, relay: offer } of devices()) {
      if (offer === undefined || !admits(device)) continue;
      for (const relay of read(offer.addresses)) {
        if (!peers.has(relay.peer) && peers.size >= MAX_ROOM_RELAYS) continue;
        peers.add(relay.peer);
        if (known.has(relay.address.toString())) continue;
        known.add(relay.address.toString());
        told.push(relay);
      }
      const key = offer.accessKey === null ? null : base64url.baseDecode(offer.accessKey);
      for (const { peer } of read(offer.addresses)) {
        if (key?.byteLength === ACCESS_KEY_BYTES && !keys.has(peer)) keys.set(peer, key);
      }
    }
    const state = JSON.stringify([told.map(({ address }) => address.toString()), [...keys].map(String)]);
    if (state === this.#state) return false;
    this.#state = state;
    this.#told = told;
    this.#keys = keys;
    this.#list = [...invited, ...told.filter(usable)];
    return true;
  }
}

/** A relay's own address leads to its node; one with a path leads to a peer behind its port. */
function read(texts: readonly string[]): RelayAddress[] {
  return texts.flatMap((text) => {
    try {
      const relay = parseRelayAddress(text);
      return hasPath(relay.address) ? [] : [relay];
    } catch {
      // of another version of the app, or nonsense: the others count all the same
      return [];
    }
  });
}

const hasPath = (address: Multiaddr) => address.getComponents().some(({ name }) => name === 'http-path');

/** As many addresses as an invite holds, of each relay its best before any has two. */
function fairly(addresses: readonly string[]): string[] {
  const byRelay = Map.groupBy(new Set(addresses), (text) => text.slice(text.lastIndexOf('/') + 1));
  const most = Math.max(0, ...[...byRelay.values()].map(({ length }) => length));
  const rounds = Array.from({ length: most }, (_, round) => [...byRelay.values()].flatMap((ways) => ways[round] ?? []));
  return rounds.flat().slice(0, MAX_RELAYS);
}
