import { multiaddr } from '@multiformats/multiaddr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTickets } from '../../relay/tickets.ts';
import { FETCH_TICKET_MS, type FetchTicket } from '../../src/contracts/relay.ts';
import type { CidString, DeviceId, RoomId } from '../../src/lib/ids.ts';
import { newRoom } from '../support/new-room.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { RELAY_METHODS } from '../../src/peer/room/relay-services.ts';
import { closed } from '../support/hostile-node.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { manualClock } from '../support/manual-clock.ts';
import { startTestRelay } from '../support/relay-http.ts';

const PUBMED = 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?db=pubmed&term=sleep&retmode=json';
const cleanups = new Cleanups();
let live: LiveRelay;
let member: HeadlessRoom;
let other: HeadlessRoom;

beforeAll(async () => {
  live = await startLiveRelay();
  cleanups.add(() => live.close());
  member = await startMember(live, cleanups);
  other = await startMember(live, cleanups, {
    invite: { ...live.invite, ...newRoom(), roomName: 'another room' },
  });
}, 60_000);
afterAll(() => cleanups.run());

const linked = (peer: HeadlessRoom) => peer.room.mesh.peers().filter(({ link }) => link === 'direct');
const anybody = { kind: 'token', tokenId: 't', name: 't', relay: 'r' } as never;

describe('two rooms at one relay', () => {
  it('a member is introduced to his own room and served there (the positive control)', async () => {
    await expect.poll(() => linked(member).map(({ peer }) => peer)).toEqual([live.gateway.self]);
    await expect.poll(() => other.room.mesh.connection().state).toBe('alone');
    const { device } = member.room.replica;
    const answer = await member.room.mesh.call(
      live.gateway.self,
      'echo',
      { text: 'hello' },
      { kind: 'device', device, peer: member.peer },
      { timeoutMs: 5_000 },
    );
    expect(answer).toEqual({ text: 'hello', peer: live.gateway.self });
  });

  it('the other room hears of nobody', async () => {
    await expect.poll(() => other.room.mesh.connection().state).toBe('alone');
    expect(other.room.mesh.peers().map(({ peer }) => peer)).toEqual([other.peer]);
    expect(Object.keys(other.room.replica.state().devices)).toEqual([other.room.replica.device]);
  });

  it('its member is refused by a peer whose address he knows, and gets no block, tool or record of the replica', async () => {
    const collected = await live.gateway.tools.call({
      tool: 'collect_literature',
      args: { query: 'sleep', max_results: 2 },
      principal: live.owner,
      place: live.gateway.self,
    });
    if (!collected.ok) throw new Error(collected.error.message);
    const { dataset } = collected.value as { dataset: CidString };
    // the member of the room reads them over Bitswap
    await expect.poll(() => member.room.datasets.list().map(({ data }) => data)).toEqual([dataset]);
    expect(await member.room.datasets.records(dataset, 0, 2, AbortSignal.timeout(10_000))).toHaveLength(2);

    const before = await live.served();
    const { libp2p } = other.room.node;
    const { membership } = libp2p.services;
    const connection = await libp2p.dial(multiaddr(live.roomPeer));
    await expect(membership.proven(connection)).rejects.toMatchObject({ name: 'TabmeshError' });
    await closed(connection);
    expect(membership.links()).toEqual([]);
    await expect(other.room.datasets.records(dataset, 0, 2, AbortSignal.timeout(2_000))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(
      other.room.mesh.call(live.gateway.self, 'echo', { text: 'hello' }, anybody, { timeoutMs: 2_000 }),
    ).rejects.toMatchObject({ code: 'peer_unreachable' });
    expect(other.room.datasets.list()).toEqual([]);
    expect(live.log.join('\n')).toMatch(new RegExp(`refused .*${other.peer}.*proof does not match the room`));
    expect(await live.served()).toEqual(before);
  });
});

describe('tickets for /fetch', () => {
  const ask = (url: string, ticket?: string) =>
    fetch(`${url}?url=${encodeURIComponent(PUBMED)}`, {
      headers: ticket === undefined ? {} : { authorization: `Bearer ${ticket}` },
    });

  it('are given over the mesh to members, and fetch; without one, or with a made-up one, nothing is fetched', async () => {
    await expect.poll(() => linked(member)).toHaveLength(1);
    const ticket = (await member.room.mesh.request(live.gateway.self, RELAY_METHODS.ticket, {})) as FetchTicket;
    expect((await ask(ticket.url, ticket.ticket)).status).toBe(200);
    for (const bad of [undefined, `${ticket.ticket.slice(0, -1)}_`, 'tmf_made-up']) {
      const answer = await ask(ticket.url, bad);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({
        error: { code: 'unauthorized', hint: 'Ask a member relay for a new one over the mesh.' },
      });
    }
    expect(live.log.filter((line) => line.includes('refused') && line.includes('/fetch'))).toHaveLength(3);
    await expect(other.room.mesh.request(live.gateway.self, RELAY_METHODS.ticket, {})).rejects.toMatchObject({
      code: 'peer_unreachable',
    });
  });

  it('expire', async () => {
    const clock = manualClock();
    const tickets = createTickets('http://127.0.0.1/fetch', clock);
    const relay = await startTestRelay({
      tickets,
      upstreams: { overrides: new Map([['https://eutils.ncbi.nlm.nih.gov', 'http://127.0.0.1:9']]) },
    });
    cleanups.add(() => relay.close());
    const { ticket } = tickets.issue({ room: 'room-a' as RoomId, device: 'device-a' as DeviceId });
    // let through, and then nobody is there
    expect((await ask(relay.urls.fetch, ticket)).status).toBe(502);
    await clock.advance(FETCH_TICKET_MS);
    expect((await ask(relay.urls.fetch, ticket)).status).toBe(401);
  });
});
