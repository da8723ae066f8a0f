import type { DoctorProbes, LinkUnderTest, RelayUnderTest } from '../../src/contracts/doctor.ts';
import type { MeshPeer } from '../../src/contracts/mesh.ts';
import type { DeviceId, PeerId } from '../../src/lib/ids.ts';

export const relayUnderTest: RelayUnderTest = {
  peer: '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8' as PeerId,
  ways: [{ host: 'relay.example.org:443', origin: 'https://relay.example.org' }],
  state: 'joined',
};

/** A member at the other end of a link. */
export function linkUnderTest(peer: Partial<MeshPeer> = {}, rest: Partial<LinkUnderTest> = {}): LinkUnderTest {
  return {
    peer: {
      peer: 'peer-other' as PeerId,
      device: 'device-other' as DeviceId,
      name: 'Blue Finch',
      kind: 'tab',
      link: 'direct',
      latencyMs: 12,
      visible: true,
      tools: [],
      shardRecords: 0,
      served: {},
      load: null,
      battery: null,
      links: [],
      since: 0,
      ...peer,
    },
    failure: null,
    outbound: true,
    limits: null,
    ...rest,
  };
}

/**
 * Probes of a tab where all is well. Override what a test is about.
 * @param now of this device
 */
export function healthyProbes(overrides: Partial<DoctorProbes> = {}, now: () => number = Date.now): DoctorProbes {
  return {
    network: () => Promise.resolve({ online: true }),
    secureContext: () => Promise.resolve({ secure: true, origin: 'https://relay.example.org' }),
    serviceWorker: () => Promise.resolve({ state: 'active', controls: true, waiting: false }),
    page: () => Promise.resolve({ visible: true, load: 0.1, battery: { level: 0.9, charging: false } }),
    localNetwork: () => Promise.resolve({ permission: 'prompt', pageHost: 'relay.example.org' }),
    relayHealth: ({ ways }) => Promise.resolve({ host: ways[0]?.host ?? '', tookMs: 12, clockOffsetMs: 400 }),
    iceServers: () => [{ urls: ['stun:stun.example.org:3478'] }],
    ice: (servers) =>
      Promise.resolve({
        candidates: [
          {
            type: servers.length === 0 ? 'host' : 'srflx',
            protocol: 'udp',
            address: servers.length === 0 ? 'b2c1a0f4.local' : '81.2.69.142',
            port: 50_000,
            relatedAddress: null,
            relatedPort: null,
          },
        ],
        answered: servers.length,
      }),
    storage: () => Promise.resolve({ usedBytes: 5_000_000, quotaBytes: 1_000_000_000, persisted: true }),
    secrets: () => [],
    connection: () => ({ state: 'direct' }),
    relays: () => [relayUnderTest],
    reachRelay: ({ ways }) => Promise.resolve({ host: ways[0]?.host ?? null, pingMs: 8 }),
    reservation: () => ({ expiresAt: now() + 3_600_000 }),
    peers: () => [linkUnderTest()],
    timeOf: () => Promise.resolve(now()),
    ...overrides,
  };
}

/** The same where the relay is away. */
export function relayAwayProbes(): DoctorProbes {
  const away = () => Promise.reject(new Error('nobody there'));
  return healthyProbes({
    relays: () => [{ ...relayUnderTest, state: 'offline' }],
    relayHealth: away,
    reachRelay: away,
    reservation: () => null,
    connection: () => ({ state: 'offline', message: 'relay.example.org:443: the relay went away', retryAt: null }),
    peers: () => [],
  });
}
