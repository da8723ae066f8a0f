import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockStore } from '../../../../src/contracts/dataset.ts';
import { dataBlockGroups } from '../../../../src/data/blocks.ts';
import { encodeBlock, link, verifyBlock, type Block } from '../../../../src/data/codec.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { TabmeshError } from '../../../../src/lib/errors.ts';
import type { CidString } from '../../../../src/lib/ids.ts';
import { createBlockStore } from '../../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../../src/mesh/storage/kv-memory.ts';
import { encodeFrame } from '../../../../src/mesh/rpc/frames.ts';
import { encodeBlocks, encodeEnd } from '../../../../src/mesh/transfer/messages.ts';
import { receiveDataset } from '../../../../src/mesh/transfer/receive-dataset.ts';
import { sendDataset } from '../../../../src/mesh/transfer/send-dataset.ts';
import type { TransferProgress } from '../../../../src/mesh/transfer/store-queue.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { streamPair } from '../../../support/stream-pair.ts';

const tree = { blocksOf: dataBlockGroups, verify: (block: Block) => verifyBlock(block, 'the block') };

/** A dataset of records of these sizes. */
async function dataset(sizes: readonly number[]): Promise<{ data: CidString; blocks: Block[]; store: BlockStore }> {
  const records = await Promise.all(
    sizes.map((size, index) => encodeBlock({ index, filling: new Uint8Array(size).fill(index) }, 'a record')),
  );
  const page = await encodeBlock({ records: records.map(({ cid }) => link(cid)) }, 'a page');
  const root = await encodeBlock(
    {
      format: 'tabmesh/dataset',
      version: 1,
      count: records.length,
      bytes: records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      pages: [link(page.cid)],
    },
    'the root',
  );
  const blocks = [root, page, ...records];
  const store = createBlockStore(createMemoryStore());
  await store.putMany(blocks);
  return { data: root.cid, blocks, store };
}

const hexOf = async (store: BlockStore, cid: CidString) => Buffer.from(await store.get(cid)).toString('hex');

const emptyStore = () => createBlockStore(createMemoryStore());

/** A sender that serves from `store`, and what a receiver needs to take from it. */
function served(store: BlockStore, options: { within?: Parameters<typeof sendDataset>[2]['within'] } = {}) {
  const [receiver, sender] = streamPair({ pieceBytes: 10_000, highWater: 100_000 });
  sendDataset(sender.stream, {} as never, {
    tree,
    local: store,
    clock: systemClock,
    within: options.within ?? ((transfer) => transfer()),
  });
  return { receiver, sender };
}

const common = { offset: 0, tree, clock: systemClock, signal: new AbortController().signal };

describe('a transfer', () => {
  it('brings every block of a dataset, whatever their sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 60_000, max: 200_000 })), {
          minLength: 1,
          maxLength: 40,
        }),
        async (sizes) => {
          const { data, blocks, store } = await dataset(sizes);
          const local = emptyStore();
          const { receiver } = served(store);
          const progress = await receiveDataset(receiver.stream, { ...common, data, local });
          expect(progress.blocks).toBe(blocks.length);
          for (const { cid, bytes } of blocks) expect(await hexOf(local, cid)).toBe(Buffer.from(bytes).toString('hex'));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is larger than its window, and tells how far it is', async () => {
    const { data, blocks, store } = await dataset(Array.from({ length: 60 }, () => 100_000));
    const seen: TransferProgress[] = [];
    const { receiver } = served(store);
    await receiveDataset(receiver.stream, { ...common, data, local: emptyStore(), onProgress: (p) => seen.push(p) });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toEqual({
      blocks: blocks.length,
      bytes: blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    });
    expect(seen.map((p) => p.blocks)).toEqual(seen.map((p) => p.blocks).toSorted((a, b) => a - b));
  });

  it('goes on at an offset where another was broken off', async () => {
    const { data, blocks, store } = await dataset(Array.from({ length: 60 }, () => 100_000));
    const local = emptyStore();
    const first = served(store);
    let last: TransferProgress = { blocks: 0, bytes: 0 };
    const broken = receiveDataset(first.receiver.stream, {
      ...common,
      data,
      local,
      onProgress: (p) => {
        last = p;
        first.sender.stream.abort(new Error('the tab was closed'));
      },
    });
    await expect(broken).rejects.toThrow();
    expect(last.blocks).toBeGreaterThan(0);
    expect(last.blocks).toBeLessThan(blocks.length);
    const second = served(store);
    const rest = await receiveDataset(second.receiver.stream, { ...common, data, local, offset: last.blocks });
    expect(rest.blocks).toBe(blocks.length);
    expect(rest.bytes).toBeLessThan(blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0) - last.bytes + 1);
    for (const { cid, bytes } of blocks) expect(await hexOf(local, cid)).toBe(Buffer.from(bytes).toString('hex'));
  });

  it('ends at both sides when the receiver cancels', async () => {
    const { data, store } = await dataset(Array.from({ length: 60 }, () => 100_000));
    const stop = new AbortController();
    const { receiver, sender } = served(store);
    const reason = new TabmeshError('cancelled', 'enough');
    const taking = receiveDataset(receiver.stream, {
      ...common,
      data,
      local: emptyStore(),
      signal: stop.signal,
      onProgress: () => {
        stop.abort(reason);
      },
    });
    await expect(taking).rejects.toBe(reason);
    await expect.poll(() => sender.status).toBe('aborted');
  });

  it('never sends more than the window ahead of what is stored', async () => {
    const { data, store } = await dataset(Array.from({ length: 100 }, () => 100_000));
    const { receiver, sender } = served(store);
    const slow = emptyStore();
    let release: () => void = () => undefined;
    const local: BlockStore = {
      ...slow,
      putMany: async (...args) => {
        await new Promise<void>((resolve) => (release = resolve));
        await slow.putMany(...args);
      },
    };
    let received = 0;
    receiver.stream.addEventListener('message', ({ data: piece }) => (received += piece.byteLength));
    const stop = new AbortController();
    const taking = receiveDataset(receiver.stream, { ...common, data, local, signal: stop.signal });
    taking.catch(() => undefined);
    await expect.poll(() => received).toBeGreaterThan(4_000_000);
    const before = received;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(received).toBe(before);
    expect(before).toBeLessThan(4_500_000);
    expect(sender.unread).toBe(0);
    stop.abort(new Error('enough'));
    release();
    await expect(taking).rejects.toThrow();
  });

  it.each<[string, (blocks: readonly Block[]) => Uint8Array[][], RegExp, number]>([
    [
      'a block that is not what its address says',
      ([root, page, ...records]) => [
        encodeBlocks([root!.bytes, page!.bytes, Uint8Array.of(9, 9, 9), ...records.slice(1).map(({ bytes }) => bytes)]),
        encodeEnd(),
      ],
      /not what its address says/,
      0,
    ],
    [
      'such a block in a later frame, and what comes behind it',
      ([root, page, ...records]) => [
        encodeBlocks([root!.bytes, page!.bytes, records[0]!.bytes]),
        encodeBlocks([Uint8Array.of(9, 9, 9)]),
        encodeBlocks([records[2]!.bytes]),
        encodeEnd(),
      ],
      /not what its address says/,
      3,
    ],
    ['fewer blocks', ([root, page]) => [encodeBlocks([root!.bytes, page!.bytes]), encodeEnd()], /fewer blocks/, 2],
    [
      'more blocks',
      (blocks) => [encodeBlocks([...blocks, blocks[2]!].map(({ bytes }) => bytes)), encodeEnd()],
      /more blocks/,
      0,
    ],
    ['a frame that is none', () => [[Uint8Array.of(77)]], /not a message of a transfer/, 0],
    ['a length that is too long', () => [[Uint8Array.of(2, 0, 0, 1, 0, 1)]], /not a message of a transfer/, 0],
  ])('refuses %s, and keeps only what was right', async (_what, frames, problem, right) => {
    const { data, blocks } = await dataset([10, 20, 30]);
    const [receiver, sender] = streamPair();
    const local = emptyStore();
    const taking = receiveDataset(receiver.stream, { ...common, data, local });
    for (const frame of frames(blocks)) sender.stream.send(encodeFrame(frame));
    await expect(taking).rejects.toThrow(problem);
    expect(receiver.status).toBe('aborted');
    const kept = await Promise.all(blocks.map(({ cid }) => local.has(cid)));
    expect(kept.filter(Boolean)).toHaveLength(right);
  });

  it('tells why there is none', async () => {
    const { data } = await dataset([10]);
    const { receiver } = served(emptyStore());
    await expect(receiveDataset(receiver.stream, { ...common, data, local: emptyStore() })).rejects.toMatchObject({
      code: 'not_found',
    });
    const busy = served(emptyStore(), {
      within: () => Promise.reject(new TabmeshError('rate_limited', 'too many', { retryable: true })),
    });
    await expect(receiveDataset(busy.receiver.stream, { ...common, data, local: emptyStore() })).rejects.toMatchObject({
      code: 'rate_limited',
      retryable: true,
    });
  });

  it('does not wait for a sender that says nothing, nor for a receiver that asks nothing', async () => {
    const { data, store } = await dataset([10]);
    const clock = manualClock();
    const [receiver] = streamPair();
    const taking = receiveDataset(receiver.stream, { ...common, clock, data, local: emptyStore() });
    const failed = expect(taking).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(15_001);
    await failed;
    const [silent, sender] = streamPair();
    sendDataset(sender.stream, {} as never, { tree, local: store, clock, within: (transfer) => transfer() });
    await clock.advance(10_001);
    expect([sender.status, silent.status]).toEqual(['aborted', 'aborted']);
  });
});
