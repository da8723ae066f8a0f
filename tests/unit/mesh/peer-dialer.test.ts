import type { Libp2p } from '@libp2p/interface';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { PeerDialer } from '../../../src/mesh/links/peer-dialer.ts';
import type { Membership } from '../../../src/mesh/membership/membership.ts';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';

const ONE = parseRelayAddress('/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE');
const TWO = parseRelayAddress('/ip4/127.0.0.1/tcp/2/ws/p2p/12D3KooWMWco24DJmRBJ8LmHr1c75snC72KMH3RtvJ4PGrHtscfk');
const PEER = '12D3KooWDKdJtYaxxJAKyz7h1mfCdf81hsfdnx7pNMHwSWqNTFJf' as PeerId;
const INTRODUCTION = { peer: PEER, addresses: [] };

let dialer: PeerDialer | undefined;
afterEach(() => dialer?.stop());

/** A dialer whose dials take for ever, and that is linked to nobody. */
function makeDialer(): PeerDialer {
  dialer = new PeerDialer({
    node: { dial: () => new Promise(() => undefined) } as unknown as Libp2p,
    membership: { subscribe: () => () => undefined, linkTo: () => undefined } as unknown as Membership,
    dialsThroughRelay: true,
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
  });
  return dialer;
}

it('a peer whose only relay is gone is no longer being connected to', () => {
  const dials = makeDialer();
  dials.introduced([INTRODUCTION], ONE);
  expect(dials.connecting()).toEqual([PEER]);
  dials.relayGone(ONE);
  expect(dials.connecting()).toEqual([]);
});

it('a peer that two relays list stays wanted until neither does', () => {
  const dials = makeDialer();
  dials.introduced([INTRODUCTION], ONE);
  dials.joined(INTRODUCTION, TWO);
  dials.relayGone(TWO);
  expect(dials.connecting()).toEqual([PEER]);
  dials.left(PEER, TWO);
  expect(dials.connecting()).toEqual([PEER]);
  dials.left(PEER, ONE);
  expect(dials.connecting()).toEqual([]);
});
