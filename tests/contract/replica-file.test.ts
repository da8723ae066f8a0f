import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileStore } from '../../src/mesh/storage/kv-file.node.ts';
import { replicaContract } from './replica.ts';

replicaContract('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-replica-'));
  return { open: () => openFileStore(folder), dispose: () => rm(folder, { recursive: true }) };
});
