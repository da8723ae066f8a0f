import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClassAccess } from '../../src/contracts/approvals.ts';
import type { SegmentManifest } from '../../src/contracts/search.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import type { CidString, PeerId } from '../../src/lib/ids.ts';
import { startTabPeer, type TabPeer } from '../support/tab-peers.ts';
import { callRest } from '../support/call-rest.ts';
import { Cleanups, startToolPeer } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { countedTools } from '../support/mcp-end.ts';

/** A segment that is listed, so that its device is asked when the room is searched; there is nothing in it. */
const segment = (letter: string): SegmentManifest => ({
  dataset: `bafyrei${letter.repeat(52)}` as CidString,
  count: 1,
  engine: 'bm25/1',
  embedder: { id: 'none', version: 1, dimension: 0, normalised: true },
  builtAt: '2026-01-01T00:00:00Z',
});
const OPEN: ClassAccess = { member: ['read', 'compute'], relay: ['read', 'compute'] };

/** Until everybody has met everybody. */
const STARTED = { timeout: 20_000 };

describe('principals on a real mesh', () => {
  const cleanups = new Cleanups();
  const tools = countedTools();
  let live: LiveRelay;
  let one: TabPeer;
  let two: TabPeer;
  let toolPeer: PeerId;

  const self = (member: TabPeer): Principal => ({
    kind: 'device',
    device: member.room.replica.device,
    peer: member.peer,
  });
  const may = async (member: TabPeer, access: ClassAccess) => {
    await (await member.room.access.approvals()).setClassAccess(access);
  };
  /** How a device fared in a search. */
  const statusOf = (answer: unknown, member: TabPeer) =>
    (answer as { devices: { device: string; status: string }[] }).devices.find(
      ({ device }) => device === member.room.replica.device,
    )?.status;

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    one = await startTabPeer(live.invite, cleanups);
    two = await startTabPeer(live.invite, cleanups);
    toolPeer = await startToolPeer(live, cleanups, tools);
    await one.room.replica.putSegment(segment('a'));
    await two.room.replica.putSegment(segment('b'));
    const members = [one, two];
    await vi.waitFor(() => {
      expect(
        members.every(
          ({ room }) =>
            room.mesh.list().filter((peer) => peer.tools.length > 0).length >= 2 &&
            Object.values(room.replica.state().devices).filter(({ segments }) => Object.keys(segments).length > 0)
              .length === 2,
        ),
      ).toBe(true);
    }, STARTED);
    await vi.waitFor(() => {
      expect(live.gateway.tools.list().find(({ metadata }) => metadata.name === 'echo')?.places.length).toBe(4);
    }, STARTED);
  }, 60_000);
  afterAll(() => cleanups.run());

  it('tell a place which token of which relay calls, signed by the relay', async () => {
    tools.calls.length = 0;
    await callRest(live, 'echo', { text: 'hi' }, { place: toolPeer });
    const [called] = tools.calls as unknown as { principal: Extract<Principal, { kind: 'token' }> }[];
    expect(called?.principal).toMatchObject({ kind: 'token', tokenId: 'owner', relay: live.gateway.self });
    const relayDevice = one.room.mesh.list().find(({ place }) => place.peer === live.gateway.self)?.place.device;
    expect(called?.principal.issuer).toBe(relayDevice);
    // signed once
    await callRest(live, 'echo', { text: 'again' }, { place: toolPeer });
    const [, again] = tools.calls as unknown as { principal: Extract<Principal, { kind: 'token' }> }[];
    expect(again?.principal.proof).toBe(called?.principal.proof);
  });

  it('hold over two hops: what a token may not do at a device, it may not do there through another', async () => {
    const search = async () => (await callRest(live, 'search_index', { query: 'cells' }, { place: one.peer })).result;
    expect(statusOf(await search(), two)).toBe('answered');
    await may(two, { ...OPEN, relay: [] });
    try {
      expect(statusOf(await search(), two)).toBe('failed');
      expect(statusOf(await search(), one)).toBe('answered');
      // the same search on behalf of the member itself
      const own = await one.room.search.searchRoom({ query: 'cells', topK: 1 }, AbortSignal.timeout(10_000));
      expect(statusOf(own, two)).toBe('answered');
    } finally {
      await may(two, OPEN);
    }
    expect(statusOf(await search(), two)).toBe('answered');
  });

  it('hold over two hops for devices, which vouch for the calls that they make and no others', async () => {
    const search = async () => {
      const answer = await one.room.tools.call({
        tool: 'search_index',
        args: { query: 'cells' },
        principal: self(one),
        place: two.peer,
      });
      if (!answer.ok) throw new Error(answer.error.message);
      return answer.value;
    };
    // it comes back to the device that it came from, and is not that device's own any more
    expect(statusOf(await search(), one)).toBe('answered');
    await may(one, { ...OPEN, member: [] });
    try {
      expect(statusOf(await search(), one)).toBe('failed');
    } finally {
      await may(one, OPEN);
    }
    const unasked = two.room.mesh.request(one.peer, 'tabmesh/vouch', {});
    await expect(unasked).rejects.toMatchObject({ code: 'unauthorized', details: { reason: 'principal_unvouched' } });
  });

  it('are refused with a typed error when they are not signed, or by somebody who is no relay', async () => {
    const served = () => two.room.local.counters.served()['echo'] ?? 0;
    const before = served();
    const call = async (principal: Principal) => {
      const answer = await one.room.tools.call({ tool: 'echo', args: { text: 'x' }, principal, place: two.peer });
      return answer.ok ? 'ok' : answer.error.code;
    };
    const asToken: Principal = { kind: 'token', tokenId: 'owner', name: 'owner', relay: one.peer };
    expect(await call(asToken)).toBe('forbidden');
    expect(await call({ ...asToken, relay: live.gateway.self })).toBe('unauthorized');
    expect(await call({ ...asToken, proof: 'made up' })).toBe('unauthorized');
    expect(served()).toBe(before);
    expect(await call(self(one))).toBe('ok');
    expect(served()).toBe(before + 1);
  });
});
