import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GithubIssues } from '../../../../src/mesh/discovery/github-api.ts';
import { GithubRegistry } from '../../../../src/mesh/discovery/github-registry.ts';
import { roomSeal } from '../../../../src/mesh/discovery/seal.ts';
import { startGithub, TOKEN, type GithubServer } from '../../../support/github-server.ts';
import { manualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../../../support/peer-records.ts';
import { ROOM_SECRET } from '../../../support/room-secret.ts';

const ANY = { capabilities: [], maxPeers: 50 };
const [a, b] = PEERS;
const seal = roomSeal(ROOM_SECRET);

let server: GithubServer;
let clock: ManualClock;

const issuesOf = (token = TOKEN) =>
  new GithubIssues({ owner: 'owner', repo: 'repo', token, fetch, clock, baseUrl: server.url });
const open = (token = TOKEN, sealed = seal) => new GithubRegistry({ issues: issuesOf(token), seal: sealed, clock });

beforeEach(async () => {
  server = await startGithub();
  clock = manualClock(1_700_000_000_000);
});
afterEach(() => server.close());

describe('the GitHub issues registry', () => {
  it('PD14 without a token is unavailable: false, nothing, 0, and asks nobody', async () => {
    const registry = new GithubRegistry({ issues: null, seal, clock });
    expect(registry.available()).toBe(false);
    expect(await registry.register(peerRecord(a, clock.now()), never())).toEqual({ value: false, error: null });
    expect(await registry.discover(ANY, never())).toEqual({ value: [], error: null });
    expect(await registry.update(a, never())).toEqual({ value: false, error: null });
    expect(await registry.cleanup(never())).toEqual({ value: 0, error: null });
    expect(server.requests).toEqual([]);
  });

  it('PD15 maps a record to title, body and labels, of which only members can read anything', async () => {
    const record = peerRecord(a, clock.now(), { capabilities: ['echo', 'tab'], metadata: { region: 'attic' } });
    expect(await open().register(record, never())).toEqual({ value: true, error: null });
    const [issue] = server.issues;
    expect(issue?.title).toBe(`Peer: ${seal.name(a)}`);
    expect(issue?.labels).toEqual([
      'peer-registry',
      'peer-active',
      `room-${seal.name('room')}`,
      `capability-${seal.name('echo')}`,
      `capability-${seal.name('tab')}`,
    ]);
    expect(JSON.parse(await seal.open(issue!.body, issue!.title))).toEqual({
      peer_id: a,
      multiaddr: addressOf(a),
      multiaddrs: [addressOf(a)],
      capabilities: ['echo', 'tab'],
      registered_at: '2023-11-14T22:13:20.000Z',
      last_seen: '2023-11-14T22:13:20.000Z',
      ttl_seconds: 3600,
      metadata: { region: 'attic' },
    });
    const visible = JSON.stringify(server.issues);
    for (const secret of [a, 'echo', '127.0.0.1', 'attic', ROOM_SECRET.room]) expect(visible).not.toContain(secret);
  });

  it('PD16 discover asks for the registry, active and capability labels', async () => {
    const registry = open();
    await registry.register(peerRecord(a, clock.now(), { capabilities: ['echo', 'tab'] }), never());
    await registry.register(peerRecord(b, clock.now(), { capabilities: ['tab'] }), never());
    server.requests.splice(0);
    const { value } = await registry.discover({ capabilities: ['echo', 'tab'], maxPeers: 5 }, never());
    expect(value.map(({ peer }) => peer)).toEqual([a]);
    const [request] = server.requests;
    expect(request?.url.searchParams.get('state')).toBe('open');
    expect(request?.url.searchParams.get('labels')?.split(',')).toEqual([
      'peer-registry',
      'peer-active',
      `room-${seal.name('room')}`,
      `capability-${seal.name('echo')}`,
      `capability-${seal.name('tab')}`,
    ]);
    expect(request?.headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, 'x-github-api-version': '2022-11-28' });
  });

  it.each([
    ['a server in trouble', { status: 500 }, 'upstream_error'],
    ['a wrong token', { status: 401 }, 'unauthorized'],
    ['a missing repository', { status: 404 }, 'upstream_error'],
    ['no JSON', { status: 200, body: '<html>' }, 'upstream_malformed'],
    ['other JSON', { status: 200, body: '{"message":"hello"}' }, 'upstream_malformed'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'upstream_unreachable'],
  ])('PD17 %s gives nothing, does not throw, and is told of', async (_, answer, code) => {
    server.refuse(answer);
    const registry = open();
    expect(await registry.discover(ANY, never())).toMatchObject({ value: [], error: { code } });
    expect(await registry.register(peerRecord(a, clock.now()), never())).toMatchObject({
      value: false,
      error: { code },
    });
    expect(await registry.update(a, never())).toMatchObject({ value: false, error: { code } });
    expect(await registry.cleanup(never())).toMatchObject({ value: 0, error: { code } });
  });

  it('PD17 a server that is not there gives nothing either', async () => {
    const registry = open();
    await server.close();
    expect(await registry.discover(ANY, never())).toMatchObject({ value: [], error: { code: 'upstream_unreachable' } });
    server = await startGithub();
  });

  it('PD18 cleanup deactivates the expired', async () => {
    const registry = open();
    await registry.register(peerRecord(a, clock.now(), { ttlSeconds: 10 }), never());
    await registry.register(peerRecord(b, clock.now(), { ttlSeconds: 100 }), never());
    await clock.advance(20_000);
    expect(await registry.cleanup(never())).toEqual({ value: 1, error: null });
    expect(server.issues.map(({ state }) => state)).toEqual(['closed', 'open']);
    expect(server.issues[0]?.labels).toContain('peer-inactive');
    expect(server.issues[0]?.labels).not.toContain('peer-active');
    await registry.register(peerRecord(a, clock.now()), never());
    expect(server.issues.map(({ state }) => state)).toEqual(['open', 'open']);
    expect(server.issues[0]?.labels).not.toContain('peer-inactive');
  });

  it('reads all pages, and what has not changed costs nothing', async () => {
    await server.close();
    server = await startGithub(2);
    const registry = open();
    for (const peer of PEERS) await registry.register(peerRecord(peer, clock.now()), never());
    server.requests.splice(0);
    expect((await registry.discover(ANY, never())).value).toHaveLength(5);
    expect(server.requests).toHaveLength(3);
    const before = server.unchanged();
    expect((await registry.discover(ANY, never())).value).toHaveLength(5);
    expect(server.unchanged() - before).toBe(3);
  });

  it.each([
    ['for as long as it says', { 'retry-after': '60' }, 60_000],
    ['until its quota is full again', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1700000090' }, 90_000],
  ])('leaves GitHub alone %s', async (_, headers, waitMs) => {
    const registry = open();
    server.refuse({ status: 403, headers });
    const throttled = { value: [], error: { code: 'upstream_throttled', details: { retryAfterMs: waitMs } } };
    expect(await registry.discover(ANY, never())).toMatchObject(throttled);
    server.refuse(null);
    server.requests.splice(0);
    await clock.advance(waitMs - 1);
    expect(await registry.discover(ANY, never())).toMatchObject({ error: { code: 'upstream_throttled' } });
    expect(server.requests).toEqual([]);
    await clock.advance(1);
    expect(await registry.discover(ANY, never())).toEqual({ value: [], error: null });
  });

  it('does not believe an issue of a stranger, of another room, or moved from another peer', async () => {
    const registry = open();
    await registry.register(peerRecord(a, clock.now()), never());
    const [good] = server.issues;
    const others = roomSeal({ ...ROOM_SECRET, secret: new Uint8Array(32).fill(8) });
    await open(TOKEN, others).register(peerRecord(b, clock.now()), never());
    server.issues.push(
      { number: 3, title: `Peer: ${seal.name(b)}`, body: good!.body, labels: good!.labels, state: 'open' },
      { number: 4, title: `Peer: ${seal.name(b)}`, body: 'hello', labels: good!.labels, state: 'open' },
      { number: 5, title: good!.title, body: good!.body, labels: good!.labels, state: 'open', pull_request: {} },
    );
    server.issues[1]!.labels = good!.labels;
    const { value, error } = await registry.discover(ANY, never());
    expect(error).toBeNull();
    expect(value.map(({ peer }) => peer)).toEqual([a]);
  });

  it('never sends its token to another origin', async () => {
    const other = await startGithub();
    server.refuse({
      status: 200,
      headers: { link: `<${other.url}/repos/owner/repo/issues?page=2>; rel="next"` },
      body: '[]',
    });
    expect(await open().discover(ANY, never())).toEqual({ value: [], error: null });
    expect(other.requests).toEqual([]);
    await other.close();
  });

  it('makes no second issue while GitHub does not list the first yet', async () => {
    const registry = open();
    await registry.register(peerRecord(a, clock.now()), never());
    const [hidden] = server.issues.splice(0);
    hidden!.labels = ['not-yet'];
    server.issues.push(hidden!);
    await registry.register(peerRecord(a, clock.now()), never());
    expect(server.issues).toHaveLength(1);
    expect(server.issues[0]?.labels).toContain('peer-active');
  });
});
