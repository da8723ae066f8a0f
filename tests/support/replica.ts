import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DatasetSummary } from '../../src/contracts/dataset.ts';
import type { SegmentManifest } from '../../src/contracts/search.ts';
import type { CidString } from '../../src/lib/ids.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import type { DeviceKey } from '../../src/mesh/identity/device-key.ts';
import type { RoomReplica } from '../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';

const DAG_CBOR = 0x71;
const SHA2_256 = 0x12;
const BATCH = 16;

/** A well-formed CID for each number. */
export function testCid(n: number): CidString {
  const digest = Digest.create(SHA2_256, sha256(Uint8Array.of(n, n >> 8)));
  return CID.createV1(DAG_CBOR, digest).toString() as CidString;
}

export function datasetSummary(n: number, name = `Dataset ${n}`): DatasetSummary {
  return {
    data: testCid(n),
    manifest: testCid(n + 10_000),
    name,
    count: n,
    bytes: n * 1000,
    query: 'sleep AND memory',
    source: 'pubmed',
    createdAt: '2026-01-02T03:04:05Z',
    complete: true,
  };
}

export function segmentManifest(n: number): SegmentManifest {
  return {
    dataset: testCid(n),
    count: n,
    engine: 'bm25/1',
    embedder: { id: 'hash', version: 1, dimension: 384, normalised: true },
    builtAt: '2026-01-02T03:04:05.678Z',
  };
}

/** Gives `to` all that `from` has and it lacks, in small batches. */
export async function exchange(from: RoomReplica, to: RoomReplica): Promise<void> {
  for (;;) {
    const entries = await from.entriesSince(to.heads(), BATCH);
    if (entries.length === 0) return;
    const { accepted } = await to.apply(entries);
    if (accepted.length === 0) return;
  }
}

/** A device that is stored nowhere. */
export function newDevice(): Promise<DeviceKey> {
  return loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });
}
