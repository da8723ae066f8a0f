import { peerIdFromString } from '@libp2p/peer-id';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerId } from '../../src/lib/ids.ts';
import { encodeInvite, parseInvite } from '../../src/mesh/identity/invite.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';

const MET_MS = 30_000;

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

/** A relay with a room, or one that is given the room of another by its invite. */
async function startRelay(of?: LiveRelay): Promise<LiveRelay> {
  const room = of === undefined ? [] : ['--room', inviteOf(of)];
  const live = await startLiveRelay(['--demo', ...room]);
  let open = true;
  const close = async () => {
    if (open) await live.close();
    open = false;
  };
  cleanups.add(close);
  return { ...live, close };
}

const inviteOf = ({ relay }: LiveRelay): string => relay.peers.invite ?? '';
const idOf = ({ relay }: LiveRelay): PeerId => relay.peers.peerId;

/** Waits until a peer has proven links with exactly these. */
async function meets(tab: TabPeer, others: readonly PeerId[]): Promise<void> {
  await expect.poll(() => Object.keys(tab.links()).sort(), { timeout: MET_MS }).toEqual([...others].sort());
}

function reservedAt(tab: TabPeer, relay: LiveRelay): boolean {
  const held = tab.room.node.libp2p.services.reservations.at(peerIdFromString(idOf(relay)));
  return held !== null && 'expiresAt' in held;
}

async function echoFrom(relay: LiveRelay, place: PeerId): Promise<unknown> {
  const { tools } = relay.gateway;
  const answer = await tools.call({ tool: 'echo', args: { text: 'hi' }, principal: relay.owner, place });
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer.value;
}

describe('a room with several relays', { timeout: 120_000 }, () => {
  it('has every two of its peers call each other, whichever relays their invites name', async () => {
    const first = await startRelay();
    const second = await startRelay(first);
    const relays = [first, second];
    // the first one's invite of then names it alone; the second one's names both
    const tabs = [
      await startTabPeer(first.invite, cleanups),
      await startTabPeer(second.invite, cleanups),
      await startTabPeer(first.invite, cleanups),
    ];
    const everybody = [...relays.map(({ gateway }) => gateway.self), ...tabs.map(({ peer }) => peer)];
    for (const tab of tabs) {
      await meets(
        tab,
        everybody.filter((peer) => peer !== tab.peer),
      );
      // who comes through either relay finds it
      await expect.poll(() => relays.map((relay) => reservedAt(tab, relay)), { timeout: MET_MS }).toEqual([true, true]);
    }
    for (const tab of tabs) {
      for (const place of everybody)
        expect(await tab.echo(place, 'hello')).toMatchObject({ text: 'hello', peer: place });
    }
    for (const relay of relays) {
      for (const place of everybody) expect(await echoFrom(relay, place)).toMatchObject({ text: 'hi', peer: place });
    }
    // what either relay or a tab gives on now names both, with their keys
    for (const text of [
      ...relays.map(inviteOf),
      encodeInvite(tabs[0]?.room.renewInvite(first.invite) ?? first.invite),
    ]) {
      const { relays: own, told = [], access } = parseInvite(text);
      const named = [...own, ...told];
      for (const relay of relays) {
        expect(named).toContain(relay.address);
        expect(access[idOf(relay)]).toHaveLength(16);
      }
    }
  });

  it.each([
    ['first', 'second'],
    ['second', 'first'],
  ])('goes on when the %s relay dies: who is there stays, and who comes finds them', async (dies) => {
    const first = await startRelay();
    const second = await startRelay(first);
    const [gone, stays] = dies === 'first' ? [first, second] : [second, first];
    const [a, b] = [await startTabPeer(second.invite, cleanups), await startTabPeer(second.invite, cleanups)];
    const relays = [first.gateway.self, second.gateway.self];
    await meets(a, [...relays, b.peer]);
    await meets(b, [...relays, a.peer]);
    await expect.poll(() => reservedAt(a, stays) && reservedAt(b, stays), { timeout: MET_MS }).toBe(true);

    await gone.close();
    expect(await a.echo(b.peer, 'still here')).toMatchObject({ peer: b.peer });
    const c = await startTabPeer(second.invite, cleanups);
    await meets(c, [stays.gateway.self, a.peer, b.peer]);
    await meets(b, [stays.gateway.self, a.peer, c.peer]);
    for (const { peer } of [a, b]) expect(await c.echo(peer, 'new here')).toMatchObject({ peer });
    expect(await b.echo(c.peer, 'welcome')).toMatchObject({ peer: c.peer });
  });
});
