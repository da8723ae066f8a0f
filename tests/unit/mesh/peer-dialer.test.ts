import type { Libp2p } from '@libp2p/interface';
import type { Connection } from '@libp2p/interface';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { areNeighbours } from '../../../src/mesh/links/neighbours.ts';
import { PeerDialer } from '../../../src/mesh/links/peer-dialer.ts';
import type { Membership } from '../../../src/mesh/membership/membership.ts';
import type { MemberLink } from '../../../src/mesh/rpc/member-links.ts';
import { putOutError } from '../../../src/mesh/membership/put-out.ts';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';

const ONE = parseRelayAddress('/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE');
const TWO = parseRelayAddress('/ip4/127.0.0.1/tcp/2/ws/p2p/12D3KooWMWco24DJmRBJ8LmHr1c75snC72KMH3RtvJ4PGrHtscfk');
const PEER = '12D3KooWDKdJtYaxxJAKyz7h1mfCdf81hsfdnx7pNMHwSWqNTFJf' as PeerId;
const SELF = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8' as PeerId;
const INTRODUCTION = { peer: PEER, addresses: [] };

let dialer: PeerDialer | undefined;
afterEach(() => dialer?.stop());

/** A dialer whose dials take for ever, and that is linked to nobody. */
function makeDialer(): PeerDialer {
  dialer = new PeerDialer({
    node: { dial: () => new Promise(() => undefined) } as unknown as Libp2p,
    membership: { subscribe: () => () => undefined, linkTo: () => undefined } as unknown as Membership,
    dialsThroughRelay: true,
    dialsTabs: true,
    self: SELF,
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

it('a peer that was seen at a relay, which does not list it, is tried but not shown until it answers', () => {
  const dials = makeDialer();
  dials.introduced([INTRODUCTION], { ...ONE, peer: `heard:${ONE.peer}` as PeerId });
  expect(dials.connecting()).toEqual([]);
  dials.joined(INTRODUCTION, ONE);
  expect(dials.connecting()).toEqual([PEER]);
  dials.left(PEER, ONE);
  expect(dials.connecting()).toEqual([]);
});

it('a peer that was seen at an address of its own is being connected to', () => {
  const dials = makeDialer();
  dials.introduced([INTRODUCTION], { ...ONE, peer: `heard:${PEER}` as PeerId });
  expect(dials.connecting()).toEqual([PEER]);
});

/** A dialer whose dials all succeed at once, and what it has dialled. */
function makeLinkingDialer(neighbours: number) {
  const links = new Map<string, MemberLink>();
  const dialled: { readonly peer: string; readonly direct: boolean }[] = [];
  dialer = new PeerDialer({
    node: {
      dial: (address: { toString(): string }) => {
        const peer = address.toString().split('/').at(-1) ?? '';
        const direct = address.toString().includes('/webrtc');
        dialled.push({ peer, direct });
        const connection = { direction: 'outbound' } as Connection;
        links.set(peer, { connection, direct, member: { peer } } as MemberLink);
        return Promise.resolve(connection);
      },
    } as unknown as Libp2p,
    membership: {
      subscribe: () => () => undefined,
      linkTo: (peer: string) => links.get(peer),
      proven: () => Promise.resolve(),
    } as unknown as Membership,
    dialsThroughRelay: true,
    dialsTabs: true,
    self: SELF,
    neighbours,
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
  });
  return { dialer, dialled };
}

const ROOM = [
  PEER,
  '12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE',
  '12D3KooWMWco24DJmRBJ8LmHr1c75snC72KMH3RtvJ4PGrHtscfk',
  '12D3KooWR6xijC15HziNFNiS4dRf3Vg9gDyd5STxLv1ZdZDkBPDw',
  '12D3KooWJX44TeSBpRK1hk4Qa5LBukiorG1ZJBnjcyb2aW8XrE3y',
] as PeerId[];
const RELAY = parseRelayAddress('/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWLv5T2d5j2gt8mZVinDaHb6H2RbUB4woEza1CSiYhhRrM');

it('a large room is linked directly to neighbours only, and through the relay to the others', async () => {
  const { dialer: dials, dialled } = makeLinkingDialer(2);
  dials.introduced(
    ROOM.map((peer) => ({ peer, addresses: [] })),
    RELAY,
  );
  await expect.poll(() => dialled.length).toBe(ROOM.length);
  for (const { peer, direct } of dialled) expect(direct).toBe(areNeighbours(SELF, peer as PeerId, ROOM, 2));
  expect(dialled.filter(({ direct }) => direct)).toHaveLength(2);
});

it('a call to a peer behind the relay brings a direct link to it, once', async () => {
  const { dialer: dials, dialled } = makeLinkingDialer(2);
  dials.introduced(
    ROOM.map((peer) => ({ peer, addresses: [] })),
    RELAY,
  );
  await expect.poll(() => dialled.length).toBe(ROOM.length);
  const far = dialled.find(({ direct }) => !direct)?.peer as PeerId;
  dials.demand(far);
  dials.demand(far);
  await expect.poll(() => dialled.slice(ROOM.length)).toEqual([{ peer: far, direct: true }]);
  dials.demand(far);
  expect(dialled).toHaveLength(ROOM.length + 1);
});

it('a peer that cannot be reached through one relay is tried through the next that lists it', async () => {
  const dialled: string[] = [];
  dialer = new PeerDialer({
    node: {
      dial: (address: { toString(): string }) => {
        dialled.push(address.toString());
        return Promise.reject(new Error('no reservation'));
      },
    } as unknown as Libp2p,
    membership: { subscribe: () => () => undefined, linkTo: () => undefined } as unknown as Membership,
    dialsThroughRelay: true,
    dialsTabs: true,
    self: SELF,
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
  });
  dialer.introduced([INTRODUCTION], ONE);
  dialer.introduced([INTRODUCTION], TWO);
  const through = (relay: typeof ONE) => dialled.some((address) => address.includes(`/p2p/${relay.peer}/`));
  await expect.poll(() => through(ONE) && through(TWO), { timeout: 5_000 }).toBe(true);
});

/** A dialer whose every try fails like this, with time in the test's hands. @returns tries so far */
function makeFailingDialer(error: Error, refused = false) {
  vi.useFakeTimers();
  let tries = 0;
  dialer = new PeerDialer({
    node: {
      dial: () => {
        tries++;
        return Promise.reject(error);
      },
    } as unknown as Libp2p,
    membership: { subscribe: () => () => undefined, linkTo: () => undefined } as unknown as Membership,
    dialsThroughRelay: false,
    dialsTabs: false,
    refused: () => refused,
    self: SELF,
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
  });
  dialer.introduced([{ peer: PEER, addresses: ['/ip4/127.0.0.1/tcp/9/ws'] }], ONE);
  return () => tries;
}

describe('a device that was put out', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['is dialled by members every few minutes only', makeFailingDialer.bind(null, putOutError())],
    ['dials them every few minutes only', makeFailingDialer.bind(null, new Error('the connection closed'), true)],
  ])('%s, and at once when a person asks', async (_what, make) => {
    const tries = make();
    await vi.advanceTimersByTimeAsync(4 * 60_000);
    expect(tries()).toBe(1);
    dialer?.retryNow();
    await vi.advanceTimersByTimeAsync(100);
    expect(tries()).toBe(2);
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(tries()).toBe(3);
  });

  it('is not a peer that merely cannot be reached: that is tried again within seconds', async () => {
    const tries = makeFailingDialer(new Error('no route'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tries()).toBeGreaterThan(4);
  });
});
