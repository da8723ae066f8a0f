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
/** Addresses of one relay that members tell of: libp2p dials no peer that has more than 25, and a relay has a few. */
const MAX_TOLD_WAYS = 8;
/** Keys of one relay that members tell of: each that is wrong costs a connection. */
const MAX_TOLD_KEYS = 8;

export interface RoomRelaysOptions {
  /** of the invite and of the page, best first; a relay may be there with several addresses */
  readonly invited: readonly RelayAddress[];
  /** those that the invite names on the word of members */
  readonly told?: readonly RelayAddress[];
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
  #keys: ReadonlyMap<PeerId, readonly Uint8Array[]> = new Map();
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

  /** The access keys that a relay may take, best first: the invite's, then what each member says, since one may be wrong. */
  keys(relay: PeerId): readonly Uint8Array[] {
    const known = this.#options.keyOf(relay);
    return [...(known === null ? [] : [known]), ...(this.#keys.get(relay) ?? [])];
  }

  /** Whether a connection leads to a relay's own node, and to no member behind the same port. */
  isRelaysOwn(peer: string, address: Multiaddr): boolean {
    if (this.#options.invited.some((relay) => relay.peer === peer)) return true;
    // a member may call any peer a relay: it is one for us only where it was said to be
    return this.#told.some((relay) => relay.peer === peer && isAt(relay, address) && !hasPath(address));
  }

  /**
   * What an invite to the room names besides its own relays: all that is known, whether this peer uses it or not. What members
   * tell of stays apart, for the invited to believe no more of it than this peer does.
   */
  extend({ told = [], ...invite }: Invite): Invite {
    const own = new Set(invite.relays);
    const all = fairly([...own, ...told, ...this.#told.map(({ address }) => address.toString())]);
    const named = new Set(all.map(peerOf));
    const keys = Object.fromEntries([...this.#keys].map(([relay, [best]]) => [relay, best])) as Invite['access'];
    const access = Object.entries({ ...keys, ...invite.access }).filter(([relay]) => named.has(relay));
    const others = all.filter((text) => !own.has(text));
    return {
      ...invite,
      relays: all.filter((text) => own.has(text)),
      ...(others.length === 0 ? {} : { told: others }),
      access: Object.fromEntries(access),
    };
  }

  /** Reads the devices anew. @returns whether relays or keys are others than before */
  refresh(): boolean {
    const { invited, usable } = this.#options;
    const known = new Set(invited.map(({ address }) => address.toString()));
    const told: RelayAddress[] = [];
    const keys = new Map<PeerId, readonly Uint8Array[]>();
    for (const [peer, offers] of this.#offers()) {
      const ways = new Map(inTurns(offers.map((offer) => offer.ways)).map((way) => [way.address.toString(), way]));
      told.push(...[...ways].flatMap(([text, way]) => (known.has(text) ? [] : [way])).slice(0, MAX_TOLD_WAYS));
      const said = new Map(offers.flatMap(({ key }) => (key === null ? [] : [[key.toString(), key]])));
      if (said.size > 0) keys.set(peer, [...said.values()].slice(0, MAX_TOLD_KEYS));
    }
    const state = JSON.stringify([told.map(({ address }) => address.toString()), [...keys].map(String)]);
    if (state === this.#state) return false;
    this.#state = state;
    this.#told = told;
    this.#keys = keys;
    this.#list = [...invited, ...told.filter(usable)];
    return true;
  }

  /** What is said of each relay. A device speaks of one, the first that it names: its own. */
  #offers(): ReadonlyMap<PeerId, readonly Offer[]> {
    const { invited, told = [], devices, admits } = this.#options;
    const peers = new Set(invited.map(({ peer }) => peer));
    const offers = new Map<PeerId, Offer[]>();
    const add = ([first, ...others]: readonly RelayAddress[], key: Uint8Array | null) => {
      if (first === undefined || (!peers.has(first.peer) && peers.size >= MAX_ROOM_RELAYS)) return;
      peers.add(first.peer);
      const ways = [first, ...others.filter(({ peer }) => peer === first.peer)];
      offers.set(first.peer, [...(offers.get(first.peer) ?? []), { ways, key }]);
    };
    for (const { device, relay } of devices()) {
      if (relay !== undefined && admits(device)) add(read(relay.addresses), readKey(relay.accessKey));
    }
    // what devices say now goes before what one has said to who made the invite
    for (const ways of Map.groupBy(told, ({ peer }) => peer).values()) add(ways, null);
    return offers;
  }
}

/** What a device, or the invite, says of a relay. */
interface Offer {
  readonly ways: readonly RelayAddress[];
  readonly key: Uint8Array | null;
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

function readKey(text: string | null): Uint8Array | null {
  const key = text === null ? null : base64url.baseDecode(text);
  return key?.byteLength === ACCESS_KEY_BYTES ? key : null;
}

/** As many addresses as an invite holds, of each relay its best before any has two. */
function fairly(addresses: readonly string[]): string[] {
  return inTurns([...Map.groupBy(new Set(addresses), peerOf).values()]).slice(0, MAX_RELAYS);
}

/** The first of each list, then the second of each, and so on. */
function inTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const most = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1))).flat();
}

const peerOf = (address: string) => address.slice(address.lastIndexOf('/') + 1);
