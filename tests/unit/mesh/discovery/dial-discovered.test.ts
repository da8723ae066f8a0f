import { beforeEach, describe, expect, it } from 'vitest';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { DialDiscovered } from '../../../../src/mesh/discovery/dial-discovered.ts';
import { RendezvousRegistry } from '../../../../src/mesh/discovery/rendezvous-registry.ts';
import { parseRelayAddress } from '../../../../src/mesh/node/relay-address.ts';
import { manualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../../../support/peer-records.ts';

const [self, a, b, relayPeer, otherRelay] = PEERS;
const relay = parseRelayAddress(addressOf(relayPeer, 9000));
const through = (at: PeerId, peer: PeerId) => `${addressOf(at, 9000)}/p2p-circuit/webrtc/p2p/${peer}`;
const MINUTE = 60_000;

describe('dialling who was discovered', () => {
  let clock: ManualClock;
  let linked: Set<PeerId>;
  let wanted: { peer: PeerId; addresses: readonly string[]; by: string }[];
  let dropped: { peer: PeerId; by: string }[];
  let dialer: DialDiscovered;
  const gossip = (peer: PeerId, multiaddr: string, lastSeen = clock.now()) =>
    peerRecord(peer, lastSeen, { source: 'gossip', multiaddrs: [multiaddr] });

  beforeEach(() => {
    clock = manualClock(1_700_000_000_000);
    linked = new Set();
    wanted = [];
    dropped = [];
    dialer = new DialDiscovered({
      self,
      relays: () => [relay],
      allows: (host) => host === '127.0.0.1:4001',
      isLinked: (peer) => linked.has(peer),
      want: (introduction, by) => wanted.push({ ...introduction, by: by.peer }),
      drop: (peer, by) => dropped.push({ peer, by: by.peer }),
      clock,
    });
  });

  it('goes through the relay that the address names, under a name of its own', () => {
    dialer.offer([gossip(a, through(relayPeer, a))]);
    expect(wanted).toEqual([{ peer: a, addresses: [], by: `heard:${relayPeer}` }]);
    expect(wanted[0]?.by).not.toBe(relay.peer);
  });

  it('goes straight to an address at an allowed host, and to no other', () => {
    dialer.offer([gossip(a, addressOf(a)), gossip(b, addressOf(b, 5000)), gossip(b, through(otherRelay, b))]);
    expect(wanted).toEqual([{ peer: a, addresses: [addressOf(a)], by: `heard:${a}` }]);
  });

  it('leaves alone itself, who is linked, whom a relay introduces, and whom nobody saw lately', () => {
    linked.add(b);
    dialer.offer([
      gossip(self, addressOf(self)),
      gossip(b, addressOf(b)),
      peerRecord(a, clock.now(), { source: 'rendezvous' }),
      gossip(otherRelay, addressOf(otherRelay), clock.now() - 5 * MINUTE - 1),
    ]);
    expect(wanted).toEqual([]);
  });

  it('lets go of who was not reached in two minutes, and tries again only on later news', async () => {
    const record = gossip(a, addressOf(a));
    dialer.offer([record]);
    dialer.offer([record]);
    expect(wanted).toHaveLength(1);
    await clock.advance(2 * MINUTE + 1);
    dialer.offer([record]);
    expect(dropped).toEqual([{ peer: a, by: `heard:${a}` }]);
    expect(wanted).toHaveLength(1);
    dialer.offer([gossip(a, addressOf(a))]);
    expect(wanted).toHaveLength(2);
  });

  it('keeps who was reached', async () => {
    dialer.offer([gossip(a, addressOf(a))]);
    linked.add(a);
    await clock.advance(10 * MINUTE);
    dialer.offer([]);
    expect(dropped).toEqual([]);
  });
});

describe('the rendezvous as a source', () => {
  const clock = manualClock(1_700_000_000_000);
  const ANY = { capabilities: [], maxPeers: 10 };

  it('lists a peer for as long as a relay does, just seen, with the ways to it', async () => {
    const registry = new RendezvousRegistry(clock, (peer) => (peer === a ? ['echo', 'tab'] : []));
    registry.introduced({ peer: a, addresses: [] }, relay);
    registry.introduced({ peer: b, addresses: [addressOf(b), addressOf(a)] }, relay);
    await clock.advance(100 * MINUTE);
    const { value } = await registry.discover(ANY, never());
    expect(value).toMatchObject([
      { peer: a, capabilities: ['echo', 'tab'], lastSeen: clock.now() },
      { peer: b, multiaddrs: [addressOf(b)], lastSeen: clock.now() },
    ]);
    expect(value[0]?.multiaddrs).toEqual([through(relayPeer, a), `${addressOf(relayPeer, 9000)}/p2p-circuit/p2p/${a}`]);
    expect(registry.listed()).toHaveLength(2);
  });

  it('a peer that has left ages; what it vouches for is who is listed now', async () => {
    const registry = new RendezvousRegistry(clock);
    registry.introduced({ peer: a, addresses: [] }, relay);
    registry.introduced({ peer: b, addresses: [] }, relay);
    registry.left(a, relay);
    registry.relayGone({ ...relay, peer: otherRelay });
    expect(registry.listed().map(({ peer }) => peer)).toEqual([b]);
    const leftAt = clock.now();
    await clock.advance(3_600_000);
    expect((await registry.discover(ANY, never())).value.map(({ lastSeen }) => lastSeen)).toEqual([
      clock.now(),
      leftAt,
    ]);
    await clock.advance(1);
    expect((await registry.discover(ANY, never())).value.map(({ peer }) => peer)).toEqual([b]);
    registry.relayGone(relay);
    expect(registry.listed()).toEqual([]);
  });

  it('what a relay introduces that is no peer harms nobody', async () => {
    const registry = new RendezvousRegistry(clock);
    registry.introduced({ peer: '../../x' as PeerId, addresses: [] }, relay);
    expect((await registry.discover(ANY, never())).value).toEqual([]);
  });
});
