import 'fake-indexeddb/auto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsBlocks } from '../../src/mesh/storage/blocks-fs.node.ts';
import { createBlockStore } from '../../src/mesh/storage/blocks.ts';
import { deleteIdbStore } from '../../src/mesh/storage/idb.browser.ts';
import { openIdbBlocks } from '../../src/mesh/storage/blocks-idb.browser.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { deviceBlocksContract } from './device-blocks.ts';

let count = 0;

deviceBlocksContract('memory', () => {
  const store = createMemoryStore();
  return Promise.resolve({ blocks: createBlockStore(store), dispose: () => store.close() });
});

deviceBlocksContract('IndexedDB', async () => {
  const name = `blocks-${count++}`;
  const blocks = await openIdbBlocks(name);
  const dispose = async () => {
    await blocks.close();
    await deleteIdbStore(name);
  };
  return { blocks, dispose };
});

deviceBlocksContract('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-blocks-'));
  return { blocks: await openFsBlocks(folder), dispose: () => rm(folder, { recursive: true }) };
});
