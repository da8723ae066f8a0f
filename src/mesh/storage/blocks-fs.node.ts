import { FsBlockstore } from 'blockstore-fs';
import { CID } from 'multiformats/cid';
import type { DeviceBlocks } from '../../contracts/dataset.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { mapBounded } from '../../lib/semaphore.ts';
import { addressOf } from './blocks.ts';
import { storageError } from './errors.ts';

/** Files read, written or deleted at once: enough to keep a disk busy, few enough to stay under descriptor limits. */
const PARALLEL_FILES = 16;

/**
 * Blocks as files below a folder, one each: a relay may hold more than fits its memory.
 * @param folder made when missing
 * @throws `storage_failed` when it cannot be used
 */
export async function openFsBlocks(folder: string): Promise<DeviceBlocks> {
  const store = new FsBlockstore(folder);
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw storageError(thrown, what);
    }
  };
  await attempt(`opening ${folder}`, () => store.open());
  const get: DeviceBlocks['get'] = (cid, signal) =>
    attempt(`reading the block ${cid}`, async () => {
      signal?.throwIfAborted();
      if (!(await store.has(CID.parse(cid)))) {
        throw new TabmeshError('not_found', `the block ${cid} is not on this device`, { details: { cid } });
      }
      const parts: Uint8Array[] = [];
      for await (const part of store.get(CID.parse(cid))) parts.push(part);
      return concatBytes(parts);
    });
  return {
    get,
    getMany: (cids, signal) => mapBounded(cids, PARALLEL_FILES, (cid, _, inner) => get(cid, inner), signal),
    has: (cid) => attempt('looking for a block', async () => store.has(CID.parse(cid))),
    putMany: (blocks, signal) =>
      attempt('writing blocks', async () => {
        await mapBounded(blocks, PARALLEL_FILES, async ({ cid, bytes }) => store.put(CID.parse(cid), bytes), signal);
      }),
    delete: (cid) => attempt('deleting a block', async () => store.delete(CID.parse(cid))),
    list: (signal) => listFiles(store, folder, signal),
    deleteMany: (cids, signal) =>
      attempt('deleting blocks', async () => {
        await mapBounded(cids, PARALLEL_FILES, async (cid) => store.delete(CID.parse(cid)), signal);
      }),
  };
}

async function* listFiles(
  store: FsBlockstore,
  folder: string,
  signal?: AbortSignal,
): AsyncGenerator<CidString, void, void> {
  try {
    for await (const { cid } of store.getAll({ ...(signal === undefined ? {} : { signal }) })) {
      signal?.throwIfAborted();
      yield addressOf(cid.multihash);
    }
  } catch (thrown) {
    signal?.throwIfAborted();
    throw storageError(thrown, `listing ${folder}`);
  }
}
