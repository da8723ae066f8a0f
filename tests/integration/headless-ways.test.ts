import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PeerId } from '../../src/lib/ids.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';

/** Joining and ICE take a second or two on an idle machine. */
const TIMEOUT_MS = 60_000;
/** Nothing listens there (discard). */
const NOWHERE = '/ip4/127.0.0.1/tcp/9/ws';

const cleanups = new Cleanups();
let live: LiveRelay;
let tab: TabPeer;

beforeAll(async () => {
  live = await startLiveRelay();
  cleanups.add(() => live.close());
  tab = await startTabPeer(live.invite, cleanups);
}, TIMEOUT_MS);
afterAll(() => cleanups.run());

const linkTo = (from: HeadlessRoom['room'], to: PeerId) => from.mesh.peers().find(({ peer }) => peer === to)?.link;
const transports = ({ node }: HeadlessRoom['room']) =>
  node.libp2p.getMultiaddrs().map((address) => {
    const names = address.getComponents().map(({ name }) => name);
    return names.includes('webrtc') ? 'webrtc' : names.includes('p2p-circuit') ? 'circuit' : address.toString();
  });

/** The tab and the peer call each other. */
async function callEachOther({ peer, room }: HeadlessRoom): Promise<void> {
  expect(await tab.echo(peer, 'to the process')).toEqual({ text: 'to the process', peer });
  const principal = { kind: 'device', device: room.replica.device, peer } as const;
  const answer = await room.mesh.call(tab.peer, 'echo', { text: 'to the tab' }, principal, { timeoutMs: 10_000 });
  expect(answer).toEqual({ text: 'to the tab', peer: tab.peer });
}

describe('a headless peer', { timeout: TIMEOUT_MS }, () => {
  it('without an address meets a tab through the relay, and links with it directly', async () => {
    const guest = await startMember(live, cleanups, { reach: 'relays' });
    await expect.poll(() => linkTo(guest.room, tab.peer), { timeout: TIMEOUT_MS }).toBe('direct');
    await expect
      .poll(() => new Set(transports(guest.room)), { timeout: 10_000 })
      .toEqual(new Set(['circuit', 'webrtc']));
    await callEachOther(guest);
  });

  it('without an address meets another one, and the peer of the relay at its address', async () => {
    const [one, other] = await Promise.all([
      startMember(live, cleanups, { reach: 'relays' }),
      startMember(live, cleanups, { reach: 'relays' }),
    ]);
    await expect.poll(() => linkTo(one.room, other.peer), { timeout: TIMEOUT_MS }).toBe('direct');
    await expect.poll(() => linkTo(one.room, live.gateway.self), { timeout: TIMEOUT_MS }).toBe('direct');
  });

  it('whose address leads nowhere is met through the relay', async () => {
    const behindNat = await startMember(live, cleanups, { reach: 'address and relays', announce: [NOWHERE] });
    await expect.poll(() => linkTo(behindNat.room, tab.peer), { timeout: TIMEOUT_MS }).toBe('direct');
    await callEachOther(behindNat);
  });

  it('at an address is not called through the relay', async () => {
    const member = await startMember(live, cleanups);
    await expect.poll(() => linkTo(member.room, live.gateway.self), { timeout: TIMEOUT_MS }).toBe('direct');
    expect(member.room.node.libp2p.services.listenPort.port()).toBeGreaterThan(0);
    expect(transports(member.room).filter((way) => way === 'circuit' || way === 'webrtc')).toEqual([]);
  });
});
