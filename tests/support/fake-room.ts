import { catalog } from '../../src/catalog/index.ts';
import type { RoomClient } from '../../src/contracts/app.ts';
import type { DoctorProbes } from '../../src/contracts/doctor.ts';
import type { MeshPeer, RoomMember } from '../../src/contracts/mesh.ts';
import type { RoomSearchResult, SearchHit } from '../../src/contracts/search.ts';
import type { CallResult, Place, RoomTool } from '../../src/contracts/tools.ts';
import type { RunState } from '../../src/contracts/workflow.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { randomId, type CidString, type DeviceId, type RoomId, type RunId } from '../../src/lib/ids.ts';
import { memoryAccess } from './access.ts';
import { fakeApprovals } from './fake-approvals.ts';
import { fakeAudit } from './fake-audit.ts';
import { fakeCalls } from './fake-calls.ts';
import { fakeCid, fakeDatasets, fakePeers, fakeRecord } from './fake-data.ts';
import { findingOf } from './fake-finding.ts';
import { connectionOf, relaysOf } from './fake-links.ts';
import { runDoctor } from '../../src/mesh/doctor/run-doctor.ts';
import { healthyProbes, relayAwayProbes } from './doctor-probes.ts';
import { fakeRun } from './fake-runs.ts';
import { sampleRouting } from './sample-routing.ts';
import type { Scenario } from './scenarios.ts';

/** How long an answer takes, ms: long enough to see that something waits */
const ANSWER_MS = 120;
const PROGRESS_MS = 400;
/** Round trips change as often as they are measured in a room. */
const PING_MS = 5_000;
const MAX_HITS = 10_000;
/** Peers of a scenario; a handful where none is named. */
const PEERS: Readonly<Partial<Record<Scenario, number>>> = { extreme: 200, pair: 2, dozen: 13 };
/** Which of them has been put out */
const BLOCKED = 5;
const RANK: readonly RoomMember['role'][] = ['maker', 'owner', 'member', 'blocked'];

/** Ends the checks of an examination one after the other, so that it can be watched. */
function slowed(probes: DoctorProbes): DoctorProbes {
  const late = async <T>(answer: Promise<T>, steps: number): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, steps * PROGRESS_MS));
    return answer;
  };
  return {
    ...probes,
    storage: (signal) => late(probes.storage(signal), 1),
    relayHealth: (relay, signal) => late(probes.relayHealth(relay, signal), 2),
    reachRelay: (relay, signal) => late(probes.reachRelay(relay, signal), 3),
    ice: (servers, signal) => late(probes.ice(servers, signal), 4),
  };
}

function manyLinks(peers: readonly MeshPeer[]): Partial<DoctorProbes> {
  return {
    peers: () =>
      peers
        .filter(({ link }) => link !== 'self')
        .map((peer) => ({
          peer,
          failure: peer.link === 'direct' ? null : 'no answer in time',
          outbound: true,
          limits: peer.link === 'relayed' ? { bytes: 12_345_678, seconds: 45 } : null,
        })),
  };
}

/** An open room in memory with invented contents. */
export function fakeRoom(id: RoomId, name: string, scenario: Scenario): RoomClient {
  const extreme = scenario === 'extreme';
  const empty = scenario === 'empty' || scenario === 'first' || scenario === 'invite' || scenario === 'refused';
  const owned = scenario !== 'member';
  const offline = scenario === 'offline';
  const metadata = catalog.map((tool) => tool.metadata);
  const count = empty || offline ? 1 : (PEERS[scenario] ?? 6);
  const all = fakePeers(
    count,
    extreme,
    metadata.map((m) => m.name),
  );
  const known = fakePeers(extreme ? 200 : 6, extreme, []);
  const listeners = new Set<() => void>();
  let datasets = empty ? [] : fakeDatasets(extreme ? 240 : 4, extreme, known, offline);
  let runs: RunState[] = empty ? [] : startRuns(extreme);

  const changed = () => {
    for (const listener of listeners) listener();
  };
  const answer = async <T>(make: () => T, signal?: AbortSignal): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    signal?.throwIfAborted();
    if (scenario === 'failing') throw failure();
    return make();
  };
  let epoch = 1;
  const roles = new Map<DeviceId, RoomMember['role']>();
  for (const [n, { device }] of all.entries()) {
    if (n === 0) roles.set(device, owned ? 'maker' : 'member');
    else if (n === 1) roles.set(device, owned ? 'owner' : 'maker');
    else if (n === BLOCKED) roles.set(device, 'blocked');
  }
  let pings = 0;
  const here = (): readonly MeshPeer[] => {
    const inside = all.filter(({ device }) => roles.get(device) !== 'blocked');
    const ids = new Set(inside.map(({ peer }) => peer));
    return inside.map((peer, n) => ({
      ...peer,
      latencyMs: peer.latencyMs === null ? null : peer.latencyMs * (1 + Math.sin(pings * (n + 1)) / 3),
      links: peer.links.filter((link) => ids.has(link.peer)),
    }));
  };
  const setRole = (device: DeviceId, role: RoomMember['role']) => {
    roles.set(device, role);
    if (role !== 'owner') epoch++;
    peers = here();
    changed();
  };
  let peers = here();
  const places: Place[] = peers.slice(0, 12).map((p) => ({
    kind: p.link === 'self' ? 'self' : p.kind === 'relay' ? 'relay' : 'peer',
    peer: p.peer,
    device: p.device,
    name: p.name,
  }));
  const self = peers[0];
  const first = places[0];
  if (self === undefined || first === undefined) throw new Error('no peers');
  const tools: RoomTool[] = metadata.map((m) => ({ metadata: m, places }));

  const pinging = setInterval(() => {
    pings++;
    peers = here();
    changed();
  }, PING_MS);

  const access = memoryAccess();
  const approvals = fakeApprovals(scenario, all, datasets);
  const watchCalls = fakeCalls(scenario, places);
  const audit = fakeAudit(scenario, all);
  return {
    id,
    name,
    self: self.peer,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connection: () => connectionOf(scenario),
    relays: () => relaysOf(scenario),
    retryRelays: () => {
      setTimeout(changed, ANSWER_MS);
    },
    enterRelayKey: () => answer(changed),
    finding: () => findingOf(scenario),
    findPeers: (signal) => answer(changed, signal),
    examine: ({ signal, onCheck }) =>
      answer(() => undefined, signal).then(() =>
        runDoctor(slowed(offline ? relayAwayProbes() : healthyProbes(extreme ? manyLinks(peers) : {})), {
          kind: 'tab',
          clock: systemClock,
          signal,
          secrets: [],
          ...(onCheck === undefined ? {} : { onCheck }),
        }),
      ),
    peers: () => peers,
    tools: () => tools,
    datasets: () => datasets,
    runs: () => runs,
    inviteLink: () => `${location.origin}/#join=${'o2F2AWRyb29tUGFiY2RlZmdoaWprbG1ub3A'.repeat(8)}`,
    members: () => ({
      epoch,
      canManage: owned,
      isMaker: owned,
      members: all
        .map((peer, n) => ({
          device: peer.device,
          name: peer.name,
          kind: peer.kind,
          self: n === 0,
          online: peer.link !== 'connecting' && roles.get(peer.device) !== 'blocked',
          role: roles.get(peer.device) ?? ('member' as const),
          forked: scenario === 'cutoff' ? n === 0 || n === 2 : scenario === 'typical' && n === 3,
        }))
        .sort((x, y) => RANK.indexOf(x.role) - RANK.indexOf(y.role) || x.name.localeCompare(y.name)),
    }),
    changeSecret: () =>
      answer(() => {
        epoch++;
        changed();
      }),
    blockDevice: (device) => answer(() => setRole(device, 'blocked')),
    unblockDevice: (device) => answer(() => setRole(device, 'member')),
    appointOwner: (device) => answer(() => setRole(device, 'owner')),
    approvals,
    grants: () => access.grants(),
    heldGrants: () => access.heldGrants(),
    collect: ({ query }) => answer(() => start(query)),
    retryRun: () => answer(() => start('sleep AND insulin resistance')),
    cancelRun: (run) => {
      runs = runs.map((r) => (r.runId === run ? fakeRun(run, String(queryOf(r)), r.createdAt, 1, 'cancelled') : r));
      changed();
    },
    deleteRun: (run) =>
      answer(() => {
        runs = runs.filter((r) => r.runId !== run);
        changed();
      }),
    search: (request, signal) => answer(() => searchAnswer(request.query, request.topK), signal),
    related: (_id, topK, signal) =>
      answer(
        () => ({ hits: hits(topK, 'related'), total: topK, searched: 1207, datasets: [fakeCid(0)], tookMs: 3.1 }),
        signal,
      ),
    record: (cid, signal) => answer(() => ({ ...fakeRecord(numberOf(cid), extreme), cid }), signal),
    manifest: (data, signal) => answer(() => manifestOf(data), signal),
    records: (_data, offset, limit, signal) =>
      answer(() => Array.from({ length: limit }, (_, n) => fakeRecord(offset + n, extreme)), signal),
    exportDataset: (_data, signal) => answer(() => new Blob(['car']), signal),
    deleteDataset: (data) =>
      answer(() => {
        datasets = datasets.filter((d) => d.data !== data);
        changed();
      }),
    importDatasets: (_car, signal) => answer(() => [], signal),
    keepDataset: (_data, signal) => answer(() => undefined, signal),
    call: (tool, args) => callAnswer(tool, args),
    ownTools: () => metadata,
    explainRoute: async (tool, args) => {
      const { route } = await callAnswer(tool, args);
      if (route === null || scenario === 'failing') throw failure();
      return { ...route, why: 'the highest score' };
    },
    callMetrics: (signal) => answer(() => undefined, signal).then(() => sampleRouting.report(signal)),
    resetBreakers: (peer, tool) => sampleRouting.resetBreakers(peer, tool),
    watchCalls,
    audit: () => audit,
    createClientToken: ({ name: label }) =>
      answer(() => {
        if (empty || offline) {
          throw new TabmeshError('no_place', 'no relay is a member of this room', {
            hint: 'Open the invite at a relay: npm start -- --room INVITE.',
          });
        }
        return { id: 'tok1', name: label, token: `tm_${'k3x9'.repeat(10)}`, mcp: 'https://relay.example.org/mcp' };
      }),
    listClientTokens: () => answer(() => []),
    revokeClientToken: () => answer(() => undefined),
    close: () => {
      clearInterval(pinging);
      return Promise.resolve();
    },
  };

  function start(query: string): RunId {
    const run = randomId() as RunId;
    const at = Date.now();
    runs = [fakeRun(run, query, at, 0, 'running', 0), ...runs];
    changed();
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      const end = ticks > 10 ? 'completed' : 'running';
      const current = runs.find((r) => r.runId === run);
      if (current?.status !== 'running') return clearInterval(timer);
      runs = runs.map((r) => (r.runId === run ? fakeRun(run, query, at, Math.floor(ticks / 3), end, ticks * 40) : r));
      changed();
      if (end === 'completed') clearInterval(timer);
    }, PROGRESS_MS);
    return run;
  }

  function hits(topK: number, query: string): SearchHit[] {
    const total = extreme ? MAX_HITS : 37;
    return Array.from({ length: Math.min(topK, total) }, (_, n) => {
      const { cid, record } = fakeRecord(n, extreme);
      const snippet = record.abstract
        .map((s) => s.text)
        .join(' ')
        .slice(0, 280);
      const at = snippet.indexOf('sleep');
      const inTitle = record.title.toLowerCase().indexOf(query.toLowerCase());
      return {
        recordCid: cid,
        recordId: record.id,
        dataset: fakeCid(n % 3),
        title: record.title,
        snippet,
        snippetMarks: at < 0 ? [] : [[at, at + 5]],
        titleMarks: inTitle < 0 || query === '' ? [] : [[inTitle, inTitle + query.length]],
        authors: record.authors.slice(0, 6).map((a) => a.name),
        authorCount: record.authors.length,
        venue: record.venue,
        year: record.date.year,
        url: record.url,
        retracted: record.retracted,
        score: 20 - n / 10,
      };
    });
  }

  function searchAnswer(query: string, topK: number): RoomSearchResult {
    const nothing = empty || query === 'nothing';
    const found = nothing ? [] : hits(topK, query);
    return {
      query,
      hits: found.map((hit, n) => {
        const peer = peers[n % Math.min(3, peers.length)] ?? self;
        return { ...hit, device: (peer ?? known[0])!.device, deviceName: (peer ?? known[0])!.name, alsoOn: [] };
      }),
      total: nothing ? 0 : extreme ? 100_000 : 37,
      devices: peers.slice(0, extreme ? 60 : 4).map((p, n) =>
        n === 3 && !offline
          ? { status: 'failed', device: p.device, peer: p.peer, name: p.name, error: failure().toWire() }
          : {
              status: 'answered',
              device: p.device,
              peer: p.peer,
              name: p.name,
              hits: 12,
              searched: p.shardRecords,
              tookMs: 3.4 + n * 11,
              direct: p.link !== 'relayed',
            },
      ),
      missing: nothing ? [] : [{ dataset: fakeCid(3), name: 'asthma AND spirometry', heldBy: ['Olive Wren · k2m9qx'] }],
      tookMs: 48.2,
    };
  }

  async function callAnswer(tool: string, args: unknown): Promise<CallResult> {
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    const route = {
      tool,
      runtime: 'auto' as const,
      chosen: first!,
      candidates: places.slice(0, 4).map((place, n) => ({
        place,
        score: 1 - n * 0.2,
        reasons: n === 0 ? ['this tab', 'visible'] : ['direct link', `${String(n * 4)} ms`],
        excluded: n === 3 ? 'tab is hidden' : null,
      })),
    };
    if (scenario === 'failing') return { ok: false, error: failure().toWire(), route, tookMs: 118 };
    return { ok: true, value: { tool, args, records: [fakeRecord(1, extreme).record] }, route, tookMs: 12.4 };
  }
}

function manifestOf(data: CidString) {
  return {
    format: 'tabmesh/dataset-manifest',
    version: 1,
    data,
    name: 'sleep AND insulin resistance',
    provenance: {
      tool: 'collect_literature',
      source: 'pubmed',
      query: 'sleep AND insulin resistance',
      queryTranslation: '"sleep"[MeSH Terms] AND "insulin resistance"[MeSH Terms]',
      startedAt: new Date(Date.now() - 90_000).toISOString(),
      finishedAt: new Date(Date.now() - 60_000).toISOString(),
      requests: ['https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?db=pubmed&term=sleep'],
      missing: ['90000404'],
      parserVersion: '1',
      runId: 'run1' as RunId,
      device: fakePeers(1, false, [])[0]!.device,
      complete: true,
    },
  } as const;
}

function startRuns(extreme: boolean): RunState[] {
  const now = Date.now();
  const some = [
    fakeRun('r1', 'sleep AND insulin resistance', now - 9000, 1, 'running', 164),
    fakeRun('r2', '"gut microbiome"[ti] AND depression', now - 600_000, 4, 'completed'),
    fakeRun('r3', 'beta blockers[mh] AND registry', now - 7_200_000, 1, 'failed'),
    fakeRun('r4', 'asthma AND spirometry', now - 90_000_000, 1, 'cancelled'),
  ];
  if (!extreme) return some;
  const many = Array.from({ length: 240 }, (_, n) =>
    fakeRun(`x${String(n)}`, 'أثر النوم '.repeat(8), now - n * 9e6, 4, 'completed'),
  );
  return [...some, ...many];
}

function queryOf(run: RunState): unknown {
  return (run.inputs as { query?: unknown }).query;
}

function numberOf(cid: string): number {
  return cid.charCodeAt(8) + cid.charCodeAt(9);
}

function failure(): TabmeshError {
  return new TabmeshError('peer_unreachable', 'Amber Heron went away before it answered', {
    hint: 'Try again: another peer may answer.',
    retryable: true,
    details: { peer: '12D3KooWexample', afterMs: 5000 },
  });
}
