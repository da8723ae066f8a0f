import { expect, it } from 'vitest';
import type { CidString } from '../../../src/lib/ids.ts';
import { writeTogether } from '../../../src/mesh/storage/write-together.ts';

const block = (n: number) => ({ cid: String(n) as CidString, bytes: Uint8Array.of(n) });

/** A store whose writes end when they are told to. */
function slowStore() {
  const writes: { readonly cids: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  return {
    writes,
    putMany: (blocks: readonly { readonly cid: CidString }[]) =>
      new Promise<void>((resolve, reject) => {
        const end = (error?: Error) => {
          if (error === undefined) resolve();
          else reject(error);
        };
        writes.push({ cids: blocks.map(({ cid }) => cid), end });
      }),
  };
}

it('writes what comes in one turn, and while it writes, together', async () => {
  const store = slowStore();
  const write = writeTogether(store);
  const first = Promise.all([write(block(1)), write(block(2))]);
  await expect.poll(() => store.writes.length).toBe(1);
  const second = Promise.all([write(block(3)), write(block(4)), write(block(5))]);
  expect(store.writes.map(({ cids }) => cids)).toEqual([['1', '2']]);
  store.writes[0]?.end();
  await first;
  await expect.poll(() => store.writes.length).toBe(2);
  store.writes[1]?.end();
  await second;
  expect(store.writes.map(({ cids }) => cids)).toEqual([
    ['1', '2'],
    ['3', '4', '5'],
  ]);
});

it('tells a failure to those whose blocks were not written, and goes on', async () => {
  const store = slowStore();
  const write = writeTogether(store);
  const lost = Promise.allSettled([write(block(1)), write(block(2))]);
  await expect.poll(() => store.writes.length).toBe(1);
  const next = write(block(3));
  store.writes[0]?.end(new Error('the disk is full'));
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect.poll(() => store.writes.length).toBe(2);
  store.writes[1]?.end();
  await expect(next).resolves.toBeUndefined();
});
