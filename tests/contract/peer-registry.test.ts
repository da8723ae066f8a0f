import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { randomId, type RoomId } from '../../src/lib/ids.ts';
import { BroadcastRegistry } from '../../src/mesh/discovery/broadcast-registry.browser.ts';
import { GithubIssues } from '../../src/mesh/discovery/github-api.ts';
import { GithubRegistry } from '../../src/mesh/discovery/github-registry.ts';
import { encodePeers } from '../../src/mesh/discovery/gossip-messages.ts';
import { GossipRegistry } from '../../src/mesh/discovery/gossip-registry.ts';
import { LocalRegistry } from '../../src/mesh/discovery/local-registry.ts';
import { ManualRegistry } from '../../src/mesh/discovery/manual-registry.ts';
import { createFileRecordStore } from '../../src/mesh/discovery/record-file.node.ts';
import { createKvRecordStore } from '../../src/mesh/discovery/record-store-kv.ts';
import { RendezvousRegistry } from '../../src/mesh/discovery/rendezvous-registry.ts';
import { roomSeal } from '../../src/mesh/discovery/seal.ts';
import { SwitchedRegistry } from '../../src/mesh/discovery/switched-registry.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import type { PeerRecord } from '../../src/contracts/discovery.ts';
import { startGithub, TOKEN } from '../support/github-server.ts';
import { manualClock } from '../support/manual-clock.ts';
import { never, PEERS } from '../support/peer-records.ts';
import { ROOM_SECRET } from '../support/room-secret.ts';
import { peerRegistryContract } from './peer-registry.ts';

peerRegistryContract(
  'manual',
  async () => {
    const clock = manualClock();
    const registry = new ManualRegistry(clock);
    return { registry, clock, add: (record) => registry.register(record, never()) };
  },
  { takesRecords: true },
);

peerRegistryContract(
  'rendezvous',
  async () => {
    const clock = manualClock();
    const registry = new HeardRendezvous(clock);
    return {
      registry,
      clock,
      add: async (record) => {
        registry.hear(record);
      },
    };
  },
  { takesRecords: false },
);

/** Records that a relay listed once, and no longer does: while it lists a peer, the peer is always just seen. */
class HeardRendezvous extends RendezvousRegistry {
  hear(record: PeerRecord): void {
    this.book.put({ ...record, source: this.name });
  }
}

peerRegistryContract(
  'gossip',
  async () => {
    const clock = manualClock();
    const told: PeerRecord[] = [];
    let heardAt = 0;
    const registry = new GossipRegistry({
      self: PEERS[4],
      clock,
      members: () => [PEERS[3]],
      // a member tells what it heard once; it does not see these peers again
      ask: () => Promise.resolve(encodePeers(told.splice(0), heardAt)),
    });
    return {
      registry,
      clock,
      add: async (record) => {
        heardAt = clock.now();
        told.push(record);
        await registry.discover({ capabilities: [], maxPeers: 0 }, never());
      },
    };
  },
  { takesRecords: false },
);

peerRegistryContract(
  'local store',
  async () => {
    const clock = manualClock();
    const kv = createMemoryStore();
    const registry = new LocalRegistry('local_store', createKvRecordStore(kv), clock);
    return {
      registry,
      clock,
      add: (record) => registry.register(record, never()),
      dispose: () => kv.close(),
    };
  },
  { takesRecords: true },
);

peerRegistryContract(
  'local file',
  async () => {
    const clock = manualClock();
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-registry-'));
    const store = createFileRecordStore(join(folder, 'peer_registry.json'), clock.now);
    const registry = new LocalRegistry('local_file', store, clock);
    return {
      registry,
      clock,
      add: (record) => registry.register(record, never()),
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  { takesRecords: true },
);

peerRegistryContract(
  'broadcast',
  async () => {
    const clock = manualClock();
    // the wait for other tabs is real: their answers come when they come
    const realWaits = { ...clock, sleep: systemClock.sleep };
    const registry = new BroadcastRegistry(randomId() as RoomId, realWaits);
    return {
      registry,
      clock,
      add: (record) => registry.register(record, never()),
      dispose: () => registry.close(),
    };
  },
  { takesRecords: true },
);

peerRegistryContract(
  'GitHub issues',
  async () => {
    // a time of day in whole ms, as the dates in issues have
    const clock = manualClock(1_700_000_000_000);
    const server = await startGithub();
    const issues = new GithubIssues({ owner: 'owner', repo: 'repo', token: TOKEN, fetch, clock, baseUrl: server.url });
    const registry = new GithubRegistry({ issues, seal: roomSeal(ROOM_SECRET), clock });
    return {
      registry,
      clock,
      add: (record) => registry.register(record, never()),
      dispose: () => server.close(),
    };
  },
  { takesRecords: true },
);

peerRegistryContract(
  'one that was switched on',
  async () => {
    const clock = manualClock();
    const registry = new SwitchedRegistry('manual');
    registry.use(new ManualRegistry(clock));
    return { registry, clock, add: (record) => registry.register(record, never()) };
  },
  { takesRecords: true },
);

it('a registry that is off does nothing, and is not available', async () => {
  const clock = manualClock();
  const registry = new SwitchedRegistry('github');
  registry.use(new ManualRegistry(clock));
  registry.use(null);
  expect(registry.available()).toBe(false);
  expect(await registry.discover({ capabilities: [], maxPeers: 10 }, never())).toEqual({ value: [], error: null });
  expect(await registry.cleanup(never())).toEqual({ value: 0, error: null });
});
