import type { Connection, Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MeshPeer } from '../../../../src/contracts/mesh.ts';
import type { PeerNetwork } from '../../../../src/contracts/peer-network.ts';
import { TabmeshError } from '../../../../src/lib/errors.ts';
import type { DeviceId, PeerId } from '../../../../src/lib/ids.ts';
import { shared } from '../../../../src/lib/shared.ts';
import { Bootstrapper, type BootstrapperOptions } from '../../../../src/mesh/bootstrap/bootstrapper.ts';
import { DiscoveryCoordinator } from '../../../../src/mesh/discovery/coordinator.ts';
import { PeerLedger } from '../../../../src/mesh/discovery/ledger.ts';
import { ManualRegistry } from '../../../../src/mesh/discovery/manual-registry.ts';
import type { MemberLink } from '../../../../src/mesh/rpc/member-links.ts';
import { parseRelayAddress } from '../../../../src/mesh/node/relay-address.ts';
import { createPeerNetwork } from '../../../../src/mesh/room/peer-network.ts';
import { manualClock, settle, type ManualClock } from '../../../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../../../support/peer-records.ts';

const [self, a, b, relayPeer] = PEERS;
const relay = parseRelayAddress(addressOf(relayPeer, 9000));

const meshPeer = (peer: PeerId, overrides: Partial<MeshPeer> = {}): MeshPeer => ({
  peer,
  device: 'device' as DeviceId,
  name: 'Amber Heron',
  kind: 'tab',
  link: 'direct',
  latencyMs: 8,
  visible: true,
  tools: ['echo'],
  shardRecords: 0,
  served: { echo: 3, search_index: 4 },
  load: null,
  battery: null,
  links: [],
  since: 500,
  ...overrides,
});

describe('the network of a peer', () => {
  let clock: ManualClock;
  let present: MeshPeer[];
  let links: MemberLink[];
  let dials: string[];
  let dial: () => Promise<void>;
  let prove: () => Promise<void>;
  let kept: string[];
  let hosts: string[];
  let released: string[];
  let coordinator: DiscoveryCoordinator;
  let ledger: PeerLedger;
  let network: PeerNetwork;

  const link = (peer: PeerId, fields: Partial<MemberLink> = {}, closed: string[] = []): MemberLink => ({
    member: { peer } as MemberLink['member'],
    direct: true,
    connection: {
      direction: 'outbound',
      remoteAddr: multiaddr(addressOf(peer, 7000)),
      close: () => Promise.resolve(void closed.push('closed')),
      abort: () => closed.push('aborted'),
    } as unknown as Connection,
    ...fields,
  });

  beforeEach(() => {
    clock = manualClock(1_700_000_000_000);
    present = [meshPeer(self, { link: 'self' })];
    links = [];
    dials = [];
    kept = [];
    hosts = [];
    released = [];
    dial = () => Promise.resolve();
    prove = () => Promise.resolve();
    ledger = new PeerLedger(clock);
    const manual = new ManualRegistry(clock);
    coordinator = new DiscoveryCoordinator({ registries: [manual], clock, self });
    network = createPeerNetwork({
      mesh: {
        peers: () => present,
        request: () => Promise.resolve({}),
        letGo: (peer) => released.push(peer),
        retryRelays: () => undefined,
      },
      node: {
        dial: (async (address: { toString(): string }) => {
          dials.push(address.toString());
          await dial();
          return {};
        }) as unknown as Libp2p['dial'],
      },
      membership: {
        proven: async () => {
          await prove();
          return { peer: a } as MemberLink['member'];
        },
        linkTo: (peer) => links.find(({ member }) => member.peer === peer),
        links: () => links,
      },
      coordinator,
      manual,
      rendezvous: {
        listed: () => [peerRecord(a, 0, { multiaddrs: [`${relay.address.toString()}/p2p-circuit/p2p/${a}`] })],
      },
      ledger,
      bootstrapper: shared(
        (reach: BootstrapperOptions['reach']) =>
          new Bootstrapper({
            reach,
            reachability: { publicAddress: () => Promise.resolve(null), natType: () => Promise.resolve('unknown') },
            clock,
          }),
      ),
      relays: () => [relay],
      keep: (peer, address) => kept.push(`${peer} ${address}`),
      allowHost: (host) => hosts.push(host),
      isOpen: () => true,
      clock,
    });
  });

  const connect = (overrides: object = {}) =>
    network.connect(
      { peer: a, multiaddr: addressOf(a), timeoutMs: 2000, attempts: 3, persist: true, ...overrides },
      never(),
    );

  it('connects at the first try, remembers the address and keeps the link', async () => {
    expect(await connect()).toMatchObject({ attempts: 1, peer: { peer: a } });
    expect(dials).toEqual([addressOf(a)]);
    expect(kept).toEqual([`${a} ${addressOf(a)}`]);
    expect(hosts).toEqual(['127.0.0.1:4001']);
    expect((await coordinator.discover({ sources: ['manual'] }, never())).peers).toHaveLength(1);
  });

  it('does not remember when it is not to', async () => {
    await connect({ persist: false });
    expect(kept).toEqual([]);
    expect((await coordinator.discover({}, never())).peers).toEqual([]);
  });

  it('tries again a second later, and counts its tries', async () => {
    let failures = 2;
    dial = () => (failures-- > 0 ? Promise.reject(new Error('refused')) : Promise.resolve());
    const connected = connect();
    await settle();
    expect(dials).toHaveLength(1);
    await clock.advance(999);
    expect(dials).toHaveLength(1);
    await clock.advance(1);
    expect(dials).toHaveLength(2);
    await clock.advance(1000);
    expect(await connected).toMatchObject({ attempts: 3, tookMs: 2000 });
    expect(ledger.rankOf(a).reliability).toBeCloseTo(1 / 3);
  });

  it('gives up after the last try, with their number', async () => {
    dial = () => Promise.reject(new Error('refused'));
    const failed = expect(connect({ attempts: 2 })).rejects.toMatchObject({
      code: 'peer_unreachable',
      details: { attempts: 2 },
    });
    await clock.advance(1000);
    await failed;
    expect(kept).toEqual([]);
  });

  it('does not try a stranger twice', async () => {
    prove = () => Promise.reject(new TabmeshError('not_a_member', 'unproven'));
    await expect(connect()).rejects.toMatchObject({ code: 'not_a_member', details: { attempts: 1 } });
    expect(dials).toHaveLength(1);
  });

  it('a try that takes too long is one', async () => {
    dial = () => new Promise(() => undefined);
    const failed = expect(connect({ attempts: 1 })).rejects.toMatchObject({
      code: 'timeout',
      details: { attempts: 1 },
    });
    await clock.advance(2000);
    await failed;
  });

  it('refuses an address of another peer, and dials nobody who is linked', async () => {
    await expect(connect({ multiaddr: addressOf(b) })).rejects.toMatchObject({ code: 'invalid_input' });
    links = [link(a)];
    expect(await connect()).toMatchObject({ attempts: 0 });
    expect(dials).toEqual([]);
  });

  it('closes every link to a peer, after it has stopped wanting one', async () => {
    const closed: string[] = [];
    links = [link(a, {}, closed), link(a, {}, closed), link(b, {}, [])];
    expect(await network.disconnect(a, { graceful: true, reason: null })).toBe(true);
    expect(closed).toEqual(['closed', 'closed']);
    expect(released).toEqual([a]);
    links = [link(a, {}, closed)];
    await network.disconnect(a, { graceful: false, reason: 'now' });
    expect(closed.at(-1)).toBe('aborted');
    links = [];
    expect(await network.disconnect(b, { graceful: true, reason: null })).toBe(false);
  });

  it('lists the linked, those being linked and those heard of, never itself', async () => {
    present.push(meshPeer(a), meshPeer(b, { link: 'connecting', name: '', latencyMs: null }));
    links = [link(a)];
    await coordinator.register(peerRecord(relayPeer, clock.now(), { capabilities: ['relay'] }), never());
    await coordinator.register(peerRecord(self, clock.now()), never());
    const list = network.list();
    expect(list.map(({ peer, status, kind }) => [peer, status, kind])).toEqual([
      [a, 'connected', 'tab'],
      [b, 'connecting', null],
      [relayPeer, 'disconnected', 'relay'],
    ]);
    expect(list[0]).toMatchObject({
      multiaddr: addressOf(a, 7000),
      capabilities: ['echo', 'tab'],
      connectedSince: 500,
      latencyMs: 8,
      reliability: null,
    });
    expect(list[1]).toMatchObject({ multiaddr: null, capabilities: [], lastSeen: null });
    expect(list[2]).toMatchObject({ multiaddr: addressOf(relayPeer), lastSeen: clock.now(), connectedSince: null });
  });

  it('measures bandwidth of a direct link, not of a relayed one, and not again at once', async () => {
    present.push(meshPeer(a));
    links = [link(a, { direct: false })];
    expect(await network.metrics(a, never())).toMatchObject({
      bandwidthMbps: null,
      requestsServed: 7,
      bytesTransferred: 0,
    });
    links = [link(a)];
    expect((await network.metrics(a, never()))?.bandwidthMbps).toBeGreaterThan(0);
    const at = ledger.of(a)?.bandwidthAt;
    await clock.advance(5 * 60_000 - 1);
    await network.metrics(a, never());
    expect(ledger.of(a)?.bandwidthAt).toBe(at);
    await clock.advance(1);
    await network.metrics(a, never());
    expect(ledger.of(a)?.bandwidthAt).toBe(clock.now());
    expect(await network.metrics(b, never())).toBeUndefined();
    expect(await network.metrics(self, never())).toBeUndefined();
  });

  it('bootstraps from its relays; another node has to prove that it is a member', async () => {
    links = [link(b)];
    const first = await network.bootstrap({ timeoutMs: 1000, maxConnections: 5 }, never());
    expect(first).toMatchObject({ nodesUsed: [relay.address.toString()], connectedPeers: [relayPeer, b] });
    expect(first.result.attempts).toMatchObject([{ status: 'success', peerCount: 1, node: { method: 'relay' } }]);
    prove = () => Promise.reject(new TabmeshError('not_a_member', 'unproven'));
    const nodes = [addressOf(a), addressOf(relayPeer, 9000), 'nonsense', addressOf(b)];
    const second = await network.bootstrap({ nodes, timeoutMs: 1000, maxConnections: 3 }, never());
    expect(second.nodesUsed).toEqual(nodes.slice(0, 3));
    expect(second.result).toMatchObject({ successfulNodes: 1, failedNodes: 2, totalAttempts: 3 });
    expect(second.connectedPeers).toEqual([relayPeer, b]);
  });
});
