import type { DatasetManifest, RecordEntry } from '../../src/contracts/dataset.ts';
import type { MeshPeer, RoomMember } from '../../src/contracts/mesh.ts';
import type { MembersPort, Ports, RoomDataset } from '../../src/contracts/ports.ts';
import type { LiteratureRecord } from '../../src/contracts/records.ts';
import type { RoomSearchResult, SearchHit, ShardAnswer } from '../../src/contracts/search.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import type { RunState } from '../../src/contracts/workflow.ts';
import { createDoctor } from '../../src/mesh/doctor/doctor.ts';
import { memoryAccess } from './access.ts';
import { healthyProbes } from './doctor-probes.ts';
import { sampleNetwork } from './sample-network.ts';
import { sampleRouting } from './sample-routing.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { CidString, DeviceId, PeerId, RunId, StepId } from '../../src/lib/ids.ts';
import { memoryAudit } from './audit.ts';

/** A well-formed CID that differs with `n`. */
export const cidOf = (n: number): CidString =>
  `bafyreia${'a'.repeat(50)}${String.fromCharCode(97 + (n % 26))}` as CidString;

export const selfPeer = 'peer-self' as PeerId;
export const selfDevice = 'device-self' as DeviceId;
export const otherDevice = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8' as DeviceId;
/** the app on this peer */
export const appPrincipal: Principal = { kind: 'device', device: selfDevice, peer: selfPeer };
/** another member */
export const memberPrincipal: Principal = {
  kind: 'device',
  device: 'device-other' as DeviceId,
  peer: 'peer-other' as PeerId,
};
export const tokenPrincipal: Principal = {
  kind: 'token',
  tokenId: 'token-1',
  name: 'Claude',
  relay: 'peer-relay' as PeerId,
};

function sampleRecord(n: number): LiteratureRecord {
  return {
    id: `pubmed:${String(n)}`,
    source: 'pubmed',
    kind: 'article',
    title: `Sample title ${String(n)}`,
    vernacularTitle: null,
    abstract: [{ label: 'METHODS', text: 'We counted samples.' }],
    authors: [{ name: 'Ada Example', collective: false, orcid: null }],
    venue: 'Journal of Samples',
    venueAbbreviation: 'J Sampl',
    volume: '1',
    issue: null,
    pages: '1-9',
    date: { year: 2020, month: null, day: null, text: '2020 Spring' },
    doi: '10.1000/sample',
    pmcid: null,
    url: `https://example.org/${String(n)}`,
    languages: ['eng'],
    publicationTypes: ['Journal Article'],
    meshTerms: ['Samples'],
    keywords: [],
    trials: ['NCT01234567'],
    notices: [{ type: 'ErratumIn', pmid: null }],
    retracted: false,
  };
}

function sampleHit(n: number): SearchHit {
  return {
    recordCid: cidOf(n),
    recordId: `pubmed:${String(n)}`,
    dataset: cidOf(25),
    title: `Sample title ${String(n)}`,
    snippet: 'We counted samples.',
    snippetMarks: [[11, 18]],
    titleMarks: [[0, 6]],
    authors: ['Ada Example'],
    authorCount: 1,
    venue: 'Journal of Samples',
    year: 2020,
    url: `https://example.org/${String(n)}`,
    retracted: false,
    score: 2.5 - n / 10,
  };
}

export const sampleShardAnswer: ShardAnswer = {
  hits: [sampleHit(1), sampleHit(2)],
  total: 7,
  searched: 40,
  datasets: [cidOf(25)],
  tookMs: 1.5,
};

const sampleRoomResult: RoomSearchResult = {
  query: 'samples',
  hits: [{ ...sampleHit(1), device: selfDevice, deviceName: 'Amber Heron', alsoOn: ['device-2' as DeviceId] }],
  total: 7,
  devices: [
    {
      status: 'answered',
      device: selfDevice,
      peer: selfPeer,
      name: 'Amber Heron',
      hits: 1,
      searched: 40,
      tookMs: 3,
      direct: true,
    },
    {
      status: 'failed',
      device: 'device-2' as DeviceId,
      peer: 'peer-2' as PeerId,
      name: 'Blue Wren',
      error: new TabmeshError('timeout', 'too slow', { details: { timeoutMs: 5 } }).toWire(),
    },
    { status: 'away', device: 'device-3' as DeviceId, name: 'Red Fox', datasets: [cidOf(3)] },
  ],
  missing: [{ dataset: cidOf(3), name: 'foxes', heldBy: ['Red Fox'] }],
  tookMs: 4,
};

const dataset: RoomDataset = {
  data: cidOf(25),
  manifest: cidOf(24),
  name: 'samples',
  count: 5,
  bytes: 5000,
  query: 'samples',
  source: 'pubmed',
  createdAt: '2026-01-01T00:00:00Z',
  complete: true,
  holders: [{ device: selfDevice, name: 'Amber Heron', online: true, self: true }],
};

const manifest: DatasetManifest = {
  format: 'tabmesh/dataset-manifest',
  version: 1,
  data: dataset.data,
  name: dataset.name,
  provenance: {
    tool: 'collect_literature',
    source: 'pubmed',
    query: 'samples',
    queryTranslation: '"samples"[All Fields]',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:01:00Z',
    requests: ['https://example.org/esearch'],
    missing: ['99'],
    parserVersion: '1',
    runId: 'run-1' as RunId,
    device: selfDevice,
    complete: true,
  },
};

const peer: MeshPeer = {
  peer: selfPeer,
  device: selfDevice,
  name: 'Amber Heron',
  kind: 'tab',
  link: 'self',
  latencyMs: null,
  visible: true,
  tools: ['echo'],
  shardRecords: 40,
  served: { echo: 3 },
  load: 0.25,
  battery: { level: 0.5, charging: false },
  links: [{ peer: selfPeer, direct: true, latencyMs: 3 }],
  since: 1_700_000_000_000,
};

/** What `collect_literature` gives in these ports. */
export const sampleRunResult = {
  run_id: 'run-1',
  dataset: dataset.data as string,
  manifest: dataset.manifest as string,
  records: 5,
  missing: 1,
  query_translation: '"samples"[All Fields]',
  name: 'samples',
};

const runState: RunState = {
  runId: 'run-1' as RunId,
  definition: {
    id: 'collect_literature',
    version: '1',
    name: 'Collect literature',
    inputSchema: {},
    steps: ['search', 'fetch'].map((id) => ({
      id: id as StepId,
      name: id === 'search' ? 'Search PubMed' : 'Fetch records',
      action: `pubmed.${id}`,
      inputs: {},
      dependsOn: [],
      timeoutMs: 1000,
    })),
    output: null,
  },
  inputs: {},
  createdAt: 0,
  steps: {},
  status: 'running',
  startedAt: 0,
};

/** A room that this device has made, and one other. */
function sampleMembers(): MembersPort {
  let epoch = 1;
  const roles = new Map<DeviceId, RoomMember['role']>([
    [selfDevice, 'maker'],
    [otherDevice, 'member'],
  ]);
  const change = (device: DeviceId, role: RoomMember['role']) => {
    if (!roles.has(device)) return Promise.reject(new TabmeshError('not_found', 'no device of that id'));
    roles.set(device, role);
    if (role !== 'owner') epoch++;
    return Promise.resolve();
  };
  return {
    list: () => ({
      epoch,
      canManage: true,
      isMaker: true,
      members: [...roles].map(([device, role]) => {
        const self = device === selfDevice;
        return {
          device,
          name: self ? 'Amber Heron' : 'Blue Finch',
          kind: 'tab',
          self,
          online: self,
          role,
          forked: false,
        };
      }),
    }),
    rotate: () => change(selfDevice, 'maker'),
    block: (device) => change(device, 'blocked'),
    unblock: (device) => change(device, 'member'),
    appoint: (device) => change(device, 'owner'),
  };
}

/** Small ports in memory: a room of one device with one dataset of five records. Override what a test is about. */
export function memoryPorts(overrides: Partial<Ports> = {}): Ports {
  const records: readonly RecordEntry[] = [1, 2, 3, 4, 5].map((n) => ({ cid: cidOf(n), record: sampleRecord(n) }));
  return {
    self: { peer: selfPeer, device: selfDevice, name: 'Amber Heron', kind: 'tab' },
    runs: {
      run(_workflow, _inputs, { onStarted, onProgress }) {
        onStarted?.(runState.runId);
        onProgress?.('search', { done: 1, total: 1, message: 'found 6' });
        onProgress?.('fetch', { done: 1, total: 4, message: '1 of 4' });
        return Promise.resolve(sampleRunResult);
      },
      get: (id) => (id === runState.runId ? runState : undefined),
      list: () => [runState],
    },
    search: {
      searchRoom: (request) => Promise.resolve({ ...sampleRoomResult, query: request.query }),
      searchShard: (request) =>
        Promise.resolve({ ...sampleShardAnswer, hits: sampleShardAnswer.hits.slice(0, request.topK) }),
      related: (recordId) =>
        recordId === 'pubmed:1'
          ? Promise.resolve(sampleShardAnswer)
          : Promise.reject(new TabmeshError('not_found', `no record ${recordId} in this shard`)),
    },
    datasets: {
      list: () => [dataset],
      manifest: () => Promise.resolve(manifest),
      records: (_data, offset, limit) => Promise.resolve(records.slice(offset, offset + limit)),
      record: (cid) => {
        const entry = records.find((each) => each.cid === cid);
        return entry === undefined
          ? Promise.reject(new TabmeshError('not_found', `nobody here has ${cid}`))
          : Promise.resolve(entry);
      },
      delete: () => Promise.resolve(),
      keep: () => Promise.resolve(),
    },
    mesh: { peers: () => [peer], room: () => ({ devices: {} }) },
    members: sampleMembers(),
    network: sampleNetwork(),
    routing: sampleRouting,
    access: memoryAccess(),
    doctor: createDoctor({ kind: 'tab', probes: healthyProbes(), secrets: () => [], clock: systemClock }),
    audit: memoryAudit(),
    ...overrides,
  };
}
