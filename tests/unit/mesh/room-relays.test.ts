import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { DeviceView } from '../../../src/contracts/replica.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';
import { RoomRelays } from '../../../src/mesh/room/room-relays.ts';
import { newRoom } from '../../support/new-room.ts';

const PEERS = [
  '12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE',
  '12D3KooWMWco24DJmRBJ8LmHr1c75snC72KMH3RtvJ4PGrHtscfk',
  '12D3KooWDKdJtYaxxJAKyz7h1mfCdf81hsfdnx7pNMHwSWqNTFJf',
] as PeerId[];
const at = (n: number, port = n) => `/dns4/r${n}.example.org/tcp/${port}/tls/ws/p2p/${PEERS[n] ?? ''}`;
const KEY = 'AAECAwQFBgcICQoLDA0ODw';
const KEY_BYTES = Uint8Array.from({ length: 16 }, (_, i) => i);
const OTHER_KEY = new Uint8Array(16);

type Device = Pick<DeviceView, 'device' | 'relay'>;
const device = (name: string, addresses: readonly string[], accessKey: string | null = KEY): Device => ({
  device: name as DeviceId,
  relay: { addresses, accessKey },
});

/** Relays of a room whose invite names the first; `devices` may change. */
function makeRelays(
  devices: Device[],
  options: { readonly usable?: boolean; readonly blocked?: string; readonly told?: readonly string[] } = {},
) {
  return new RoomRelays({
    invited: [parseRelayAddress(at(0))],
    told: (options.told ?? []).map(parseRelayAddress),
    keyOf: (relay) => (relay === PEERS[0] ? OTHER_KEY : null),
    devices: () => devices,
    admits: (name) => name !== options.blocked,
    usable: () => options.usable ?? true,
  });
}

const keysOf = (relays: RoomRelays, n: number) => relays.keys(PEERS[n] ?? ('' as PeerId));
const texts = (relays: RoomRelays) => relays.list().map(({ address }) => address.toString());

describe('the relays of a room', () => {
  it('are those of the invite and those that members tell of, each once, with their keys', () => {
    const relays = makeRelays([device('a', [at(0)]), device('b', [at(1), at(1)]), { device: 'c' as DeviceId }]);
    expect(texts(relays)).toEqual([at(0), at(1)]);
    expect(keysOf(relays, 1)).toEqual([KEY_BYTES]);
    expect(keysOf(relays, 2)).toEqual([]);
    // what a member says of a relay that the invite names does not replace its key
    expect(keysOf(relays, 0)).toEqual([OTHER_KEY, KEY_BYTES]);
  });

  it('follow what is told, and say whether something has changed', () => {
    const devices = [device('b', [at(1)])];
    const relays = makeRelays(devices);
    expect(relays.refresh()).toBe(false);
    devices.push(device('c', [at(2)], null));
    expect(relays.refresh()).toBe(true);
    expect(texts(relays)).toEqual([at(0), at(1), at(2)]);
    // a relay at another address
    devices[0] = device('b', [at(1, 99)]);
    expect(relays.refresh()).toBe(true);
    expect(texts(relays)).toEqual([at(0), at(1, 99), at(2)]);
    devices[0] = device('b', [at(1, 99)], null);
    expect(relays.refresh()).toBe(true);
    expect(keysOf(relays, 1)).toEqual([]);
  });

  it('are never those of a blocked device, nor what is no address of a relay', () => {
    const wrong = ['', 'nonsense', `${at(1)}/p2p-circuit`, at(1).replace('/p2p/', '/http-path/room%2Fx/p2p/')];
    const relays = makeRelays([device('blocked', [at(1)]), device('b', wrong)], { blocked: 'blocked' });
    expect(texts(relays)).toEqual([at(0)]);
    expect(keysOf(relays, 1)).toEqual([]);
  });

  it('are eight at most, whatever members make up', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))),
    );
    const many = ids.map((id, n) => device(`d${n}`, [`/dns4/x/tcp/1/tls/ws/p2p/${id.toString()}`]));
    expect(makeRelays(many).list()).toHaveLength(8);
    // one device speaks of one relay, and leaves the others to the others
    const addresses = many.flatMap(({ relay }) => relay?.addresses ?? []);
    expect(texts(makeRelays([device('a', addresses), device('b', [at(1)])]))).toEqual([at(0), addresses[0], at(1)]);
  });

  it('are reached though another device has said something wrong of them before', () => {
    const wrong = Array.from({ length: 30 }, (_, n) => at(1, 100 + n));
    const relays = makeRelays([device('a', wrong, 'AAAAAAAAAAAAAAAAAAAAAA'), device('b', [at(1)])]);
    expect(texts(relays).slice(0, 3)).toEqual([at(0), at(1, 100), at(1)]);
    expect(relays.list()).toHaveLength(9);
    expect(keysOf(relays, 1)).toEqual([OTHER_KEY, KEY_BYTES]);
  });

  it('that members tell of stay apart from the others in every invite that is made', () => {
    const relays = makeRelays([device('b', [at(1)])], { told: [at(2)] });
    expect(texts(relays)).toEqual([at(0), at(1), at(2)]);
    const invite = { version: 2 as const, ...newRoom(), roomName: 'r', relays: [at(0)], access: {}, told: [at(2)] };
    expect(relays.extend(invite)).toMatchObject({ relays: [at(0)], told: [at(2), at(1)] });
    expect(makeRelays([]).extend({ ...invite, told: [] })).not.toHaveProperty('told');
    // one that was told of in the invite is no relay of ours at any other place
    expect(relays.isRelaysOwn(PEERS[2] ?? '', multiaddr(at(2)))).toBe(true);
    expect(relays.isRelaysOwn(PEERS[2] ?? '', multiaddr(at(2, 99)))).toBe(false);
  });

  it('that were told of count as relays only where they were said to be: a member can make nobody else one', () => {
    const relays = makeRelays([device('b', [at(1)])]);
    expect(relays.isRelaysOwn(PEERS[1] ?? '', multiaddr(at(1)))).toBe(true);
    expect(relays.isRelaysOwn(PEERS[1] ?? '', multiaddr(at(2).replace(PEERS[2] ?? '', PEERS[1] ?? '')))).toBe(false);
    expect(relays.isRelaysOwn(PEERS[1] ?? '', multiaddr(`${at(0)}/p2p-circuit/webrtc/p2p/${PEERS[1] ?? ''}`))).toBe(
      false,
    );
    const member = at(1).replace('/p2p/', '/http-path/room%2Fx/p2p/');
    expect(relays.isRelaysOwn(PEERS[1] ?? '', multiaddr(member))).toBe(false);
    expect(relays.isRelaysOwn(PEERS[0] ?? '', multiaddr(at(2)))).toBe(true);
  });

  it('are all named in an invite, also those that this peer does not use', () => {
    const relays = makeRelays([device('b', [at(1), at(1, 5)]), device('c', [at(2)], null)], { usable: false });
    expect(texts(relays)).toEqual([at(0)]);
    const many = Array.from({ length: 8 }, (_, n) => at(0, n + 1));
    const invite = { version: 2 as const, ...newRoom(), roomName: 'r', relays: many, access: {} };
    const extended = relays.extend(invite);
    expect(extended.relays).toEqual(many.slice(0, 5));
    expect(extended.told).toEqual([at(1), at(2), at(1, 5)]);
    expect(extended.access).toEqual({ [PEERS[1] ?? '']: KEY_BYTES });
    expect(relays.extend({ ...invite, access: { [PEERS[1] ?? '']: OTHER_KEY } }).access).toEqual({
      [PEERS[1] ?? '']: OTHER_KEY,
    });
  });
});
