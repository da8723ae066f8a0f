import type { Libp2p } from '@libp2p/interface';
import type { BlockStore } from '../../src/contracts/dataset.ts';
import { dataBlockGroups, dataBlocks } from '../../src/data/blocks.ts';
import { encodeBlock, link, verifyBlock, type Block } from '../../src/data/codec.ts';
import { PAGE_RECORDS } from '../../src/data/pages.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { CidString, PeerId, RoomId } from '../../src/lib/ids.ts';
import { networkBlocks } from '../../src/mesh/node/network-blocks.ts';
import type { RoomNode } from '../../src/mesh/node/room-node.ts';
import { openIdbBlocks } from '../../src/mesh/storage/blocks-idb.browser.ts';
import { deleteIdbStore } from '../../src/mesh/storage/idb.browser.ts';
import { Transfers } from '../../src/mesh/transfer/transfers.ts';
import { fetchBlocks } from '../../src/peer/room/fetch-blocks.ts';
import { openRoomBlocks } from '../../src/peer/tab/storage.ts';
import type { BenchHandles } from './handles.ts';

/** What a record with an abstract takes as a block. */
const RECORD_BYTES = 4 * 1024;

const SIGNAL = new AbortController().signal;

/** Whole datasets from one tab to the other, by the product's transfer stream and by Bitswap. */
export function createBulk(
  node: () => RoomNode,
  room: () => RoomId,
): Pick<BenchHandles, 'makeDataset' | 'measureTransfer' | 'measureBitswap'> {
  return {
    async makeDataset(bytes) {
      const blocks = await makeBlocks(Math.max(1, Math.round(bytes / RECORD_BYTES)));
      // as the product writes a dataset
      const store = await openRoomBlocks(room());
      await store.putMany(blocks);
      await store.close();
      return { data: blocks[0]?.cid ?? '', bytes: blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0) };
    },
    async measureTransfer(peer, data, into) {
      const name = `bench/${crypto.randomUUID()}`;
      const disk = into === 'disk' ? await openIdbBlocks(name) : null;
      try {
        const local = disk ?? blocksInMemory();
        const libp2p = node().libp2p as unknown as Libp2p;
        const transfers = new Transfers({
          node: libp2p,
          membership: node().libp2p.services.membership,
          tree: { blocksOf: dataBlockGroups, verify: (block) => verifyBlock(block, 'the block') },
          local,
          clock: systemClock,
        });
        const startedAt = performance.now();
        await transfers.fetch(peer as PeerId, { data: data as CidString, bytes: 0, offset: 0, signal: SIGNAL });
        return performance.now() - startedAt;
      } finally {
        await disk?.close();
        if (disk !== null) await deleteIdbStore(name);
      }
    },
    async measureBitswap(data) {
      const network = networkBlocks(node());
      const startedAt = performance.now();
      await fetchBlocks(dataBlocks(data as CidString, network, SIGNAL), network, SIGNAL);
      return performance.now() - startedAt;
    },
  };
}

/** Keeps what it is given and does nothing else: the transfer without a store. */
function blocksInMemory(): BlockStore {
  const blocks = new Map<CidString, Uint8Array>();
  const get = (cid: CidString) => {
    const bytes = blocks.get(cid);
    if (bytes === undefined) throw new TabmeshError('not_found', `no block ${cid}`);
    return bytes;
  };
  return {
    get: async (cid) => get(cid),
    getMany: async (cids) => cids.map(get),
    has: async (cid) => blocks.has(cid),
    putMany: async (added) => {
      for (const { cid, bytes } of added) blocks.set(cid, bytes);
    },
    delete: async (cid) => void blocks.delete(cid),
    deleteMany: async (cids) => {
      for (const cid of cids) blocks.delete(cid);
    },
  };
}

/** A dataset's blocks, the root first; the records are noise in the form of records, other than in any dataset before. */
async function makeBlocks(count: number): Promise<readonly Block[]> {
  const records: Block[] = [];
  for (let i = 0; i < count; i++) {
    records.push(await encodeBlock({ noise: crypto.getRandomValues(new Uint8Array(RECORD_BYTES)) }, 'a record'));
  }
  const pages: Block[] = [];
  for (let at = 0; at < records.length; at += PAGE_RECORDS) {
    const links = records.slice(at, at + PAGE_RECORDS).map(({ cid }) => link(cid));
    pages.push(await encodeBlock({ records: links }, 'a page'));
  }
  const bytes = records.reduce((sum, record) => sum + record.bytes.byteLength, 0);
  const root = await encodeBlock(
    { format: 'tabmesh/dataset', version: 1, count, bytes, pages: pages.map(({ cid }) => link(cid)) },
    'the root',
  );
  return [root, ...pages, ...records];
}
