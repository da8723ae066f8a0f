import { afterEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../../src/contracts/dataset.ts';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { dataBlockGroups, dataBlocks } from '../../src/data/blocks.ts';
import { encodeBlock, link as linkTo, verifyBlock, type Block } from '../../src/data/codec.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { CidString, PeerId } from '../../src/lib/ids.ts';
import type { RoomNode } from '../../src/mesh/node/room-node.ts';
import { createBlockStore } from '../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { TRANSFERS_SERVED } from '../../src/mesh/transfer/limits.ts';
import { Transfers } from '../../src/mesh/transfer/transfers.ts';
import { closed, speak, startHostileNode } from '../support/hostile-node.ts';
import { newRoom } from '../support/new-room.ts';
import { link, startTestNode } from '../support/room-nodes.ts';

const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

const signal = new AbortController().signal;

async function peer(
  room: ReturnType<typeof newRoom>,
  {
    local = createBlockStore(createMemoryStore()),
    joinTimeoutMs = 10_000,
  }: { local?: BlockStore; joinTimeoutMs?: number } = {},
) {
  const { node, address } = await startTestNode(room, { joinTimeoutMs });
  running.push(() => node.stop());
  const transfers = new Transfers({
    node: node.libp2p,
    membership: node.libp2p.services.membership,
    tree: { blocksOf: dataBlockGroups, verify: (block: Block) => verifyBlock(block, 'the block') },
    local,
    clock: systemClock,
  });
  await transfers.start();
  return { node, address, local, transfers };
}

const idOf = (node: RoomNode) => node.libp2p.peerId.toString() as PeerId;

/** A dataset of so many records of 4 KiB, in a store. */
async function putDataset(local: BlockStore, count: number): Promise<CidString> {
  const records = await Promise.all(
    Array.from({ length: count }, (_, n) => encodeBlock({ n, filling: new Uint8Array(4_000) }, 'a record')),
  );
  const page = await encodeBlock({ records: records.map(({ cid }) => linkTo(cid)) }, 'a page');
  const bytes = records.reduce((sum, record) => sum + record.bytes.byteLength, 0);
  const root = await encodeBlock(
    { format: 'tabmesh/dataset', version: 1, count, bytes, pages: [linkTo(page.cid)] },
    'the root',
  );
  await local.putMany([root, page, ...records]);
  return root.cid;
}

describe('transfers over real sockets', () => {
  it('bring a dataset from one member to another, side by side with others', async () => {
    const room = newRoom();
    const [holder, taker] = [await peer(room), await peer(room)];
    const data = await putDataset(holder.local, 2_000);
    const other = await putDataset(holder.local, 500);
    await link(taker.node, holder.address);
    const [first, second] = await Promise.all(
      [data, other].map((each) =>
        taker.transfers.fetch(idOf(holder.node), { data: each, bytes: 0, offset: 0, signal }),
      ),
    );
    expect([first?.blocks, second?.blocks]).toEqual([2_002, 502]);
    for await (const cid of dataBlocks(data, taker.local, signal)) expect(await taker.local.has(cid)).toBe(true);
  });

  it('are refused when the holder serves as many as it can, or has no such dataset', async () => {
    const room = newRoom();
    const waiting: (() => void)[] = [];
    const memory = createBlockStore(createMemoryStore());
    const slow: BlockStore = {
      ...memory,
      getMany: async (...args) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return memory.getMany(...args);
      },
    };
    const holder = await peer(room, { local: slow });
    const data = await putDataset(memory, 1);
    const linked = async () => {
      const taker = await peer(room);
      await link(taker.node, holder.address);
      return taker;
    };
    const fetch = ({ transfers }: Awaited<ReturnType<typeof linked>>, wanted = data) =>
      transfers.fetch(idOf(holder.node), { data: wanted, bytes: 0, offset: 0, signal });
    const [late, ...takers] = await Promise.all([linked(), ...Array.from({ length: TRANSFERS_SERVED }, linked)]);
    const served = takers.map((taker) => fetch(taker));
    await expect.poll(() => waiting.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(TRANSFERS_SERVED);
    await expect(fetch(late)).rejects.toMatchObject({ code: 'rate_limited', retryable: true });
    const release = setInterval(() => {
      for (const go of waiting.splice(0)) go();
    }, 1);
    running.push(() => {
      clearInterval(release);
    });
    expect((await Promise.all(served)).map(({ blocks }) => blocks)).toEqual([3, 3, 3, 3]);
    const missing = (await encodeBlock({ nowhere: true }, 'nothing')).cid;
    await expect(fetch(late, missing)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are not for strangers', async () => {
    const holder = await peer(newRoom(), { joinTimeoutMs: 1_000 });
    const stranger = await startHostileNode();
    running.push(() => stranger.stop());
    const connection = await stranger.dial(holder.address);
    const end = closed(connection);
    const spoken = await speak(connection, PROTOCOLS.transfer, Uint8Array.of(0, 0, 0, 1, 0));
    await end;
    expect(spoken.answer()).toBe('');
  });
});
