import { afterEach, describe, expect, it } from 'vitest';
import type { PeerSource } from '../../../../src/contracts/discovery.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import { BookRegistry } from '../../../../src/mesh/discovery/book-registry.ts';
import { DiscoveryCoordinator } from '../../../../src/mesh/discovery/coordinator.ts';
import { DialDiscovered } from '../../../../src/mesh/discovery/dial-discovered.ts';
import { DiscoveryLoop } from '../../../../src/mesh/discovery/discovery-loop.ts';
import type { Membership } from '../../../../src/mesh/membership/membership.ts';
import type { MemberLink } from '../../../../src/mesh/rpc/member-links.ts';
import { manualClock, settle } from '../../../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../../../support/peer-records.ts';

const [self, a, b] = PEERS;
const ALL = { capabilities: [], maxPeers: 50 };

describe('the discovery loop', () => {
  let loop: DiscoveryLoop;
  afterEach(() => loop.stop());

  function start() {
    const clock = manualClock(1_700_000_000_000);
    const linked = new Set<string>();
    const wanted: string[] = [];
    const registries = (['rendezvous', 'broadcast', 'local_file'] as PeerSource[]).map(
      (name) => new BookRegistry(name, clock),
    );
    const [rendezvous, broadcast, memory] = registries;
    const coordinator = new DiscoveryCoordinator({ registries, clock, self });
    let listener: Parameters<Membership['subscribe']>[0] = () => undefined;
    loop = new DiscoveryLoop({
      coordinator,
      dialer: new DialDiscovered({
        self,
        relays: () => [],
        allows: () => true,
        isLinked: (peer) => linked.has(peer),
        want: ({ peer }) => wanted.push(peer),
        drop: () => undefined,
        clock,
      }),
      membership: {
        subscribe: (added) => {
          listener = added;
          return () => true;
        },
        linkTo: (peer) => (linked.has(peer) ? ({} as MemberLink) : undefined),
      },
      own: () => peerRecord(self, clock.now()),
      clock,
      log: silentLog,
    });
    loop.start();
    const found = async (registry: BookRegistry) =>
      (await registry.discover(ALL, never())).value.map(({ peer }) => peer);
    return {
      clock,
      wanted,
      found,
      rendezvous: rendezvous!,
      broadcast: broadcast!,
      memory: memory!,
      link: (peer: typeof a) => {
        linked.add(peer);
        listener({ type: 'opened', link: { member: { peer } } as MemberLink });
      },
    };
  }

  it('publishes this peer where others look, not in its own memory, and again every five minutes', async () => {
    const { clock, broadcast, memory, found } = start();
    await settle();
    expect(await found(broadcast)).toEqual([self]);
    expect(await found(memory)).toEqual([]);
    const before = (await broadcast.discover(ALL, never())).value[0]!.lastSeen;
    await clock.advance(5 * 60_000);
    expect((await broadcast.discover(ALL, never())).value[0]?.lastSeen).toBe(before + 5 * 60_000);
  });

  it('remembers a member that is linked, and hands others that it hears of to the dialer', async () => {
    const { clock, memory, rendezvous, broadcast, wanted, link, found } = start();
    await settle();
    await rendezvous.register(peerRecord(a, clock.now()), never());
    await broadcast.register(peerRecord(b, clock.now(), { multiaddrs: [addressOf(b)] }), never());
    link(a);
    await clock.advance(10_000);
    expect(await found(memory)).toEqual([a]);
    expect(wanted).toEqual([b]);
  });
});
