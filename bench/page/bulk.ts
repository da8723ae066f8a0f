import type { Libp2p } from '@libp2p/interface';
import type { BlockStore } from '../../src/contracts/dataset.ts';
import { dataBlockGroups, dataBlocks } from '../../src/data/blocks.ts';
import { encodeBlock, link, verifyBlock, type Block } from '../../src/data/codec.ts';
import { PAGE_RECORDS } from '../../src/data/pages.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { CidString, PeerId } from '../../src/lib/ids.ts';
import { networkBlocks } from '../../src/mesh/node/network-blocks.ts';
import type { RoomNode } from '../../src/mesh/node/room-node.ts';
import { createBlockStore } from '../../src/mesh/storage/blocks.ts';
import { deleteIdbStore, openIdbStore } from '../../src/mesh/storage/kv-idb.browser.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { Transfers } from '../../src/mesh/transfer/transfers.ts';
import { CID } from 'multiformats/cid';
import type { BenchHandles } from './handles.ts';

/** What a record with an abstract takes as a block. */
const RECORD_BYTES = 4 * 1024;

/** As a dataset is copied over Bitswap. */
const BITSWAP_BATCH = 32;

/** Blocks put into a tab's store at once, beside what is measured. */
const PUT_BATCH = 256;

const SIGNAL = new AbortController().signal;

/** Whole datasets from one tab to the other, by the product's transfer stream and by Bitswap. */
export function createBulk(
  node: () => RoomNode,
): Pick<BenchHandles, 'makeDataset' | 'measureTransfer' | 'measureBitswap'> {
  return {
    async makeDataset(bytes) {
      const blocks = await makeBlocks(Math.max(1, Math.round(bytes / RECORD_BYTES)));
      for (let at = 0; at < blocks.length; at += PUT_BATCH) {
        await Promise.all(
          blocks.slice(at, at + PUT_BATCH).map(async ({ cid, bytes: content }) => {
            await node().blockstore.put(CID.parse(cid), content);
          }),
        );
      }
      return { data: blocks[0]?.cid ?? '', bytes: blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0) };
    },
    async measureTransfer(peer, data, into) {
      const name = `bench/${crypto.randomUUID()}`;
      const kv = into === 'memory' ? createMemoryStore() : await openIdbStore(name);
      try {
        const local: BlockStore = createBlockStore(kv);
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
        await kv.close();
        if (into === 'disk') await deleteIdbStore(name);
      }
    },
    async measureBitswap(data) {
      const network = networkBlocks(node());
      const startedAt = performance.now();
      let batch: CidString[] = [];
      const fetchBatch = () => Promise.all(batch.map((cid) => network.get(cid, SIGNAL)));
      for await (const cid of dataBlocks(data as CidString, network, SIGNAL)) {
        batch.push(cid);
        if (batch.length < BITSWAP_BATCH) continue;
        await fetchBatch();
        batch = [];
      }
      await fetchBatch();
      return performance.now() - startedAt;
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
