import type { Connection, Libp2p } from '@libp2p/interface';
import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import { PeerDialer } from '../../../../src/mesh/links/peer-dialer.ts';
import type { Membership } from '../../../../src/mesh/membership/membership.ts';
import type { MemberLink } from '../../../../src/mesh/rpc/member-links.ts';
import { parseRelayAddress } from '../../../../src/mesh/node/relay-address.ts';

const RELAY = parseRelayAddress('/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE');
const PEER = '12D3KooWDKdJtYaxxJAKyz7h1mfCdf81hsfdnx7pNMHwSWqNTFJf' as PeerId;
const SELF = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8' as PeerId;

it('the dialer remembers why a link is not direct, until it is', async () => {
  const changed: (() => void)[] = [];
  let listener: Parameters<Membership['subscribe']>[0] = () => undefined;
  let link: MemberLink | undefined;
  const dialer = new PeerDialer({
    node: {
      dial: (address: { toString(): string }) => {
        if (address.toString().includes('/webrtc')) return Promise.reject(new Error('ICE failed'));
        link = {
          connection: { direction: 'inbound' } as Connection,
          direct: false,
          member: { peer: PEER },
        } as MemberLink;
        return Promise.resolve(link.connection);
      },
    } as unknown as Libp2p,
    membership: {
      subscribe: (told: typeof listener) => {
        listener = told;
        return () => undefined;
      },
      linkTo: () => link,
      proven: () => Promise.resolve(),
    } as unknown as Membership,
    dialsThroughRelay: true,
    dialsTabs: true,
    self: SELF,
    clock: systemClock,
    log: silentLog,
    onChange: () => {
      for (const wake of changed.splice(0)) wake();
    },
  });
  expect(dialer.failure(PEER)).toBeNull();
  dialer.introduced([{ peer: PEER, addresses: [] }], RELAY);
  while (link === undefined) await new Promise<void>((resolve) => changed.push(resolve));
  expect(dialer.failure(PEER)).toBe('ICE failed');
  listener({ type: 'opened', link: { ...link, direct: true } });
  expect(dialer.failure(PEER)).toBeNull();
  dialer.stop();
});
