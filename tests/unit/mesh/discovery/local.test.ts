import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalRegistry } from '../../../../src/mesh/discovery/local-registry.ts';
import { createFileRecordStore } from '../../../../src/mesh/discovery/record-file.node.ts';
import { createKvRecordStore } from '../../../../src/mesh/discovery/record-store-kv.ts';
import { createMemoryStore } from '../../../../src/mesh/storage/kv-memory.ts';
import { manualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { never, PEERS, peerRecord } from '../../../support/peer-records.ts';

const ANY = { capabilities: [], maxPeers: 50 };
const [a, b] = PEERS;

describe('the peer registry in a file', () => {
  let folder: string;
  let path: string;
  let clock: ManualClock;
  const open = () => new LocalRegistry('local_file', createFileRecordStore(path, clock.now), clock);
  const stored = async () => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabmesh-registry-'));
    path = join(folder, 'cache', 'peer_registry.json');
    clock = manualClock();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('PD1 creates its folder and an empty file on first use, for its owner only', async () => {
    expect(await open().discover(ANY, never())).toEqual({ value: [], error: null });
    expect(await stored()).toEqual({ version: 1, peers: {}, last_cleanup: null });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('PD2 register stores 8 fields and the source local_file', async () => {
    await open().register(peerRecord(a, clock.now(), { metadata: { region: 'attic' } }), never());
    expect((await stored())['peers']).toEqual({
      [a]: {
        peer_id: a,
        multiaddrs: [`/ip4/127.0.0.1/tcp/4001/ws/p2p/${a}`],
        capabilities: ['search_index', 'tab'],
        first_seen: clock.now() / 1000,
        last_seen: clock.now() / 1000,
        source: 'local_file',
        ttl_seconds: 3600,
        metadata: { region: 'attic' },
      },
    });
  });

  it('PD10 cleanup stamps its time', async () => {
    const registry = open();
    await registry.register(peerRecord(a, clock.now(), { ttlSeconds: 1 }), never());
    await clock.advance(5000);
    expect(await registry.cleanup(never())).toEqual({ value: 1, error: null });
    expect(await stored()).toEqual({ version: 1, peers: {}, last_cleanup: clock.now() / 1000 });
    expect(await createFileRecordStore(path, clock.now).cleanedAt()).toBe(clock.now());
  });

  it.each([
    ['garbage', '{"version": 1, "peers": {'],
    ['another shape', '[]'],
    ['a record with an unknown key', JSON.stringify({ version: 1, peers: { x: { peer_id: 'x', colour: 'red' } } })],
  ])('PD11 a corrupt file (%s) is an empty registry, and is kept aside, not overwritten', async (_, text) => {
    await open().discover(ANY, never());
    await writeFile(path, text);
    const registry = open();
    expect(await registry.discover(ANY, never())).toEqual({ value: [], error: null });
    await registry.register(peerRecord(a, clock.now()), never());
    const aside = (await readdir(join(folder, 'cache'))).filter((name) => name.includes('.corrupt-'));
    expect(aside).toHaveLength(1);
    expect(await readFile(join(folder, 'cache', aside[0]!), 'utf8')).toBe(text);
    expect((await registry.discover(ANY, never())).value.map(({ peer }) => peer)).toEqual([a]);
  });

  it('leaves a file of a newer version alone, and says so', async () => {
    await open().discover(ANY, never());
    const newer = JSON.stringify({ version: 2, who: 'knows' });
    await writeFile(path, newer);
    const registry = open();
    expect(await registry.discover(ANY, never())).toMatchObject({ value: [], error: { code: 'format_newer' } });
    const answer = await registry.register(peerRecord(a, clock.now()), never());
    expect(answer).toMatchObject({ value: false, error: { code: 'format_newer' } });
    expect(await readFile(path, 'utf8')).toBe(newer);
  });

  it('PD12 writes are atomic: whoever reads meanwhile sees a whole file', async () => {
    const registry = open();
    await registry.discover(ANY, never());
    const capabilities = Array.from({ length: 300 }, (_, n) => `tool_${String(n)}`);
    const writes = Array.from({ length: 30 }, (_, n) =>
      registry.register(peerRecord(PEERS[n % 5]!, clock.now(), { capabilities }), never()),
    );
    let reads = 0;
    const readOn = async (): Promise<void> => {
      expect(await stored()).toHaveProperty('version', 1);
      reads++;
    };
    for (const write of writes) await Promise.all([write, readOn()]);
    expect(reads).toBeGreaterThan(1);
    expect(await readdir(join(folder, 'cache'))).toEqual(['peer_registry.json']);
  });

  it('PD13 peers persist across instances', async () => {
    await open().register(peerRecord(a, clock.now()), never());
    await open().register(peerRecord(b, clock.now()), never());
    expect((await open().discover(ANY, never())).value.map(({ peer }) => peer)).toEqual([a, b]);
  });

  it('loses no record to another that is written at the same time', async () => {
    const registry = open();
    await Promise.all(PEERS.map((peer) => registry.register(peerRecord(peer, clock.now()), never())));
    expect((await registry.discover(ANY, never())).value).toHaveLength(PEERS.length);
  });
});

describe('the peer registry in a key-value store', () => {
  const clock = manualClock();

  it('PD2 register stores 8 fields under the peer', async () => {
    const kv = createMemoryStore();
    const registry = new LocalRegistry('local_store', createKvRecordStore(kv), clock);
    await registry.register(peerRecord(a, clock.now()), never());
    const value = await kv.get<object>(`discovery/peer/${a}`);
    expect(Object.keys(value!)).toHaveLength(8);
    expect(value).toMatchObject({ peer_id: a, source: 'local_store' });
  });

  it('PD10 cleanup stamps its time', async () => {
    const store = createKvRecordStore(createMemoryStore());
    expect(await store.cleanedAt()).toBeNull();
    await new LocalRegistry('local_store', store, clock).cleanup(never());
    expect(await store.cleanedAt()).toBe(clock.now());
  });

  it('PD11 a corrupt record is left out and kept aside, not overwritten', async () => {
    const kv = createMemoryStore();
    await kv.put(`discovery/peer/${a}`, { peer_id: a, colour: 'red' });
    const registry = new LocalRegistry('local_store', createKvRecordStore(kv), clock);
    await registry.register(peerRecord(a, clock.now()), never());
    await registry.register(peerRecord(b, clock.now()), never());
    expect((await registry.discover(ANY, never())).value.map(({ peer }) => peer)).toEqual([a, b]);
    expect(await kv.get(`discovery/unreadable/${a}`)).toEqual({ peer_id: a, colour: 'red' });
  });

  it('tells of a store that does not work', async () => {
    const kv = createMemoryStore();
    const registry = new LocalRegistry('local_store', createKvRecordStore(kv), clock);
    await kv.close();
    expect(await registry.discover(ANY, never())).toMatchObject({ value: [], error: { code: 'storage_failed' } });
    expect(await registry.register(peerRecord(a, 0), never())).toMatchObject({ value: false });
    expect(await registry.cleanup(never())).toMatchObject({ value: 0 });
  });
});
