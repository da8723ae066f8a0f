import { describe, expect, it } from 'vitest';
import type { CidString } from '../../../src/lib/ids.ts';
import { fetchBlocks } from '../../../src/peer/room/fetch-blocks.ts';

const signal = new AbortController().signal;

async function* named(count: number): AsyncGenerator<CidString> {
  for (let n = 0; n < count; n++) yield String(n) as CidString;
}

/** Blocks of one size that come a turn after they were asked for, and how many bytes were on their way at once. */
function source(bytes: number) {
  const asked: string[] = [];
  const seen = { asked, most: 0 };
  let underway = 0;
  return {
    seen,
    async get(cid: CidString) {
      asked.push(cid);
      seen.most = Math.max(seen.most, ++underway);
      await new Promise((resolve) => setImmediate(resolve));
      underway--;
      return new Uint8Array(bytes);
    },
  };
}

describe('fetching blocks that are kept on their way', () => {
  it.each([1, 2, 3, 1_000])('asks for each of %i once', async (count) => {
    const blocks = source(100);
    await fetchBlocks(named(count), blocks, signal);
    expect(blocks.seen.asked).toEqual(Array.from({ length: count }, (_, n) => String(n)));
  });

  it('asks for many small ones at once, and for large ones one by one', async () => {
    const small = source(1_000);
    await fetchBlocks(named(2_000), small, signal);
    expect(small.seen.most).toBeGreaterThan(64);
    expect(small.seen.most).toBeLessThanOrEqual(128);
    const large = source(1024 * 1024);
    await fetchBlocks(named(40), large, signal);
    expect(large.seen.most).toBeLessThanOrEqual(2);
  });

  it('asks for no more once one is not to be had', async () => {
    const blocks = source(1_000);
    const get = (cid: CidString) => (cid === '30' ? Promise.reject(new Error('nobody has it')) : blocks.get(cid));
    await expect(fetchBlocks(named(5_000), { get }, signal)).rejects.toThrow('nobody has it');
    expect(blocks.seen.asked.length).toBeLessThan(1_000);
  });
});
