import { CarReader } from '@ipld/car';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportCar } from '../../../src/data/car-export.ts';
import { importCar } from '../../../src/data/car-import.ts';
import { encodeBlock, link } from '../../../src/data/codec.ts';
import { readRecords } from '../../../src/data/read.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { collected, failure, memoryBlocks, NEVER, provenance, record, type MemoryBlocks } from './support.ts';

async function room() {
  const blocks = memoryBlocks();
  const write = (name: string, ids: readonly string[]) =>
    writeDataset(
      { records: ids.map((id) => record(id)), name, provenance: provenance({ query: name }) },
      blocks,
      NEVER,
    );
  const datasets = [await write('a', ['1', '2', '3']), await write('b', ['3', '4'])];
  const car = Buffer.concat(await collected(exportCar(datasets, blocks, NEVER)));
  return { blocks, datasets, car };
}

/** The bytes in chunks of a size, as a file or network would give them. */
async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

function importing(bytes: Uint8Array, blocks: MemoryBlocks = memoryBlocks(), size = 10_000) {
  return importCar(chunks(bytes, size), blocks, NEVER);
}

describe('a CAR file', () => {
  it('is one that the reference reader reads, each shared block once', async () => {
    const { blocks, datasets, car } = await room();
    const reader = await CarReader.fromBytes(car);
    expect((await reader.getRoots()).map(String)).toEqual(datasets.map(({ manifest }) => manifest));
    const read = await collected(reader.blocks());
    expect(new Set(read.map(({ cid }) => cid.toString()))).toEqual(new Set(blocks.held.keys()));
    expect(read).toHaveLength(blocks.held.size);
    for (const { cid, bytes } of read) expect(Uint8Array.from(bytes)).toEqual(blocks.held.get(cid.toString() as never));
  });

  it('brings every dataset to another store, however it is cut', async () => {
    const { blocks, datasets, car } = await room();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: car.length + 1 }), async (size) => {
        const target = memoryBlocks();
        expect(await importing(car, target, size)).toEqual(datasets.map(({ summary }) => summary));
        expect(target.held).toEqual(new Map([...target.held.keys()].map((cid) => [cid, blocks.held.get(cid)])));
        expect(target.held.size).toBe(blocks.held.size);
      }),
      { numRuns: 25 },
    );
    const target = memoryBlocks();
    await importing(car, target);
    expect(await readRecords(datasets[1]?.data as never, 0, 9, target, NEVER)).toHaveLength(2);
  });

  it('leaves nothing behind when a byte is wrong or the end is missing', async () => {
    const { car } = await room();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: car.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const target = memoryBlocks();
        const damaged = Uint8Array.from(car, (byte, index) => (index === at ? byte ^ flip : byte));
        // which code depends on what the byte meant; that it is a typed refusal does not
        expect(['corrupt', 'invalid_input', 'payload_too_large', 'format_newer']).toContain(
          await failure(importing(damaged, target)),
        );
        expect(target.held.size).toBe(0);
      }),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: car.length - 1 }), async (length) => {
        const target = memoryBlocks();
        expect(await failure(importing(car.subarray(0, length), target))).toBe('corrupt');
        expect(target.held.size).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps what the store had when an import fails', async () => {
    const { blocks, car } = await room();
    const before = new Map(blocks.held);
    expect(await failure(importing(car.subarray(0, car.length - 1), blocks))).toBe('corrupt');
    expect(blocks.held).toEqual(before);
  });

  it('takes back what it stored, and nothing else, when the store fails at the end', async () => {
    const { datasets, car } = await room();
    const target = memoryBlocks();
    const own = await writeDataset({ records: [record('3')], name: 'own', provenance: provenance() }, target, NEVER);
    const before = new Map(target.held);
    let writes = 0;
    target.beforePut = () => {
      if (++writes === 2) throw new TabmeshError('quota_exceeded', 'full');
    };
    expect(await failure(importing(car, target))).toBe('quota_exceeded');
    expect(target.held).toEqual(before);
    expect(await readRecords(own.data, 0, 9, target, NEVER)).toHaveLength(1);
    target.beforePut = () => undefined;
    expect(await importing(car, target)).toHaveLength(datasets.length);
  });

  it('is refused when it holds blocks that nobody asked for', async () => {
    const { car } = await room();
    const stranger = await encodeBlock({ junk: true }, 'junk');
    const cid = link(stranger.cid).bytes;
    const section = [cid.length + stranger.bytes.length, ...cid, ...stranger.bytes];
    expect(await failure(importing(Uint8Array.from([...car, ...section])))).toBe('corrupt');
  });

  it('cannot make the reader hold what it claims to be long', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x7f]); // a header of 34 GB
      for (;;) {
        await Promise.resolve();
        given += 1 << 20;
        yield new Uint8Array(1 << 20);
      }
    }
    expect(await failure(importCar(endless(), memoryBlocks(), NEVER))).toBe('payload_too_large');
    expect(given).toBeLessThan(4 << 20);
  });

  it('stops with the reason of its signal', async () => {
    const { car } = await room();
    const reason = new TabmeshError('cancelled', 'enough');
    const target = memoryBlocks();
    await expect(importCar(chunks(car, 100), target, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(target.held.size).toBe(0);
  });
});
