import { describe, expect, it } from 'vitest';
import type { BlockStore, DatasetSummary } from '../../../src/contracts/dataset.ts';
import { encodeBlock, link, type Block } from '../../../src/data/codec.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString, PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import type { FetchRequest } from '../../../src/mesh/transfer/transfers.ts';
import { copyDataset } from '../../../src/peer/room/copy-dataset.ts';

const signal = new AbortController().signal;
const peers = ['a', 'b'] as PeerId[];

/** A dataset of four records, and a device that lacks it. */
async function scene() {
  const records = await Promise.all([1, 2, 3, 4].map((n) => encodeBlock({ n }, 'a record')));
  const page = await encodeBlock({ records: records.map(({ cid }) => link(cid)) }, 'a page');
  const bytes = records.reduce((sum, record) => sum + record.bytes.byteLength, 0);
  const root = await encodeBlock(
    { format: 'tabmesh/dataset', version: 1, count: records.length, bytes, pages: [link(page.cid)] },
    'the root',
  );
  const manifest = await encodeBlock({ manifest: true }, 'the manifest');
  /** in the order of a transfer */
  const data: readonly Block[] = [root, page, ...records];
  const local = createBlockStore(createMemoryStore());
  const overBitswap: CidString[] = [];
  /** the room's blocks: what is fetched is kept */
  const network: Pick<BlockStore, 'get' | 'has'> = {
    has: (cid) => local.has(cid),
    async get(cid) {
      if (await local.has(cid)) return local.get(cid);
      const block = [manifest, ...data].find((each) => each.cid === cid);
      if (block === undefined) throw new TabmeshError('not_found', cid);
      overBitswap.push(cid);
      await local.putMany([block]);
      return block.bytes;
    },
  };
  const asked: { peer: PeerId; offset: number }[] = [];
  /** @param until the block at which the holder goes away */
  const holder =
    (until: Readonly<Record<string, number>>) =>
    async (peer: PeerId, { offset, onProgress }: FetchRequest) => {
      asked.push({ peer, offset });
      const end = until[peer] ?? data.length;
      for (let at = offset; at < end; at++) {
        await local.putMany(data.slice(at, at + 1));
        onProgress?.({ blocks: at + 1, bytes: 1 });
      }
      if (end < data.length) throw new TabmeshError('peer_unreachable', 'gone');
      return { blocks: data.length, bytes: 1 };
    };
  const summary = { data: root.cid, manifest: manifest.cid, bytes } as DatasetSummary;
  const held = async () => (await Promise.all([manifest, ...data].map(({ cid }) => local.has(cid)))).every(Boolean);
  return { data, manifest, local, network, summary, asked, holder, overBitswap, held };
}

describe('a copy of a dataset', () => {
  it('comes on a stream of its own, only the manifest besides', async () => {
    const { summary, local, network, asked, holder, overBitswap, manifest, held } = await scene();
    await copyDataset(
      summary,
      { local, network, transfers: { fetch: holder({}) }, holders: peers, log: silentLog },
      signal,
    );
    expect(asked).toEqual([{ peer: 'a', offset: 0 }]);
    expect(overBitswap).toEqual([manifest.cid]);
    expect(await held()).toBe(true);
  });

  it('goes on with the next holder where the last one stopped', async () => {
    const { summary, local, network, asked, holder, overBitswap, manifest, held } = await scene();
    const transfers = { fetch: holder({ a: 3 }) };
    await copyDataset(summary, { local, network, transfers, holders: peers, log: silentLog }, signal);
    expect(asked).toEqual([
      { peer: 'a', offset: 0 },
      { peer: 'b', offset: 3 },
    ]);
    expect(overBitswap).toEqual([manifest.cid]);
    expect(await held()).toBe(true);
  });

  it('fetches over Bitswap what no holder could give', async () => {
    const { summary, local, network, holder, overBitswap, manifest, data, held } = await scene();
    const transfers = { fetch: holder({ a: 3, b: 4 }) };
    await copyDataset(summary, { local, network, transfers, holders: peers, log: silentLog }, signal);
    expect(overBitswap).toEqual([manifest.cid, ...data.slice(4).map(({ cid }) => cid)]);
    expect(await held()).toBe(true);
  });

  it('does all over Bitswap when no holder is linked', async () => {
    const { summary, local, network, asked, holder, held } = await scene();
    await copyDataset(
      summary,
      { local, network, transfers: { fetch: holder({}) }, holders: [], log: silentLog },
      signal,
    );
    expect(asked).toEqual([]);
    expect(await held()).toBe(true);
  });

  it('begins after what an earlier copy has left here', async () => {
    const { summary, local, network, asked, holder, data, held } = await scene();
    await local.putMany(data.slice(0, 4));
    await copyDataset(
      summary,
      { local, network, transfers: { fetch: holder({}) }, holders: peers, log: silentLog },
      signal,
    );
    expect(asked).toEqual([{ peer: 'a', offset: 4 }]);
    expect(await held()).toBe(true);
  });

  it('ends when there is no room for it, and when it is cancelled', async () => {
    const { summary, local, network, asked } = await scene();
    const full = { fetch: () => Promise.reject(new TabmeshError('quota_exceeded', 'full')) };
    const options = { local, network, holders: peers, log: silentLog };
    await expect(copyDataset(summary, { ...options, transfers: full }, signal)).rejects.toMatchObject({
      code: 'quota_exceeded',
    });
    const stop = new AbortController();
    const stopped = {
      fetch: (peer: PeerId) => {
        asked.push({ peer, offset: 0 });
        stop.abort(new TabmeshError('cancelled', 'enough'));
        return Promise.reject(new TabmeshError('peer_unreachable', 'gone'));
      },
    };
    await expect(copyDataset(summary, { ...options, transfers: stopped }, stop.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(asked).toHaveLength(1);
  });
});
