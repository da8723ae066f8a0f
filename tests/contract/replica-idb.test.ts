import 'fake-indexeddb/auto';
import { deleteIdbStore } from '../../src/mesh/storage/idb.browser.ts';
import { openIdbStore } from '../../src/mesh/storage/kv-idb.browser.ts';
import { replicaContract } from './replica.ts';

let count = 0;
replicaContract('IndexedDB', async () => {
  const name = `replica-${count++}`;
  return { open: () => openIdbStore(name), dispose: () => deleteIdbStore(name) };
});
