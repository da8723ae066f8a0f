import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStore } from '../../src/mesh/storage/kv-file.node.ts';
import { kvContract } from './kv.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'tabmesh-kv-'));

kvContract(
  'files',
  async () => {
    const folder = await newFolder();
    return { open: () => openFileStore(folder), dispose: () => rm(folder, { recursive: true }) };
  },
  { persistent: true },
);

describe('file store', () => {
  let folder: string;
  let journal: string;
  beforeEach(async () => {
    folder = join(await newFolder(), 'store');
    journal = join(folder, 'journal');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is readable by its owner only', async () => {
    const store = await openFileStore(folder);
    await store.put('secret', 1);
    await store.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(journal)).mode & 0o777).toBe(0o600);
  });

  it('refuses a second opening in the process', async () => {
    const store = await openFileStore(folder);
    await expect(openFileStore(join(folder, '..', 'store'))).rejects.toMatchObject({ code: 'conflict' });
    await store.close();
    await (await openFileStore(folder)).close();
  });

  it('after a crash at any byte holds whole batches only, and all that were reported', async () => {
    const store = await openFileStore(folder);
    const sizes: number[] = [];
    for (let n = 0; n < 3; n++) {
      await store.batch([
        { key: 'a', value: n },
        { key: 'b', value: n },
      ]);
      sizes.push((await stat(journal)).size);
    }
    await store.close();
    const whole = await readFile(journal);
    for (let cut = 0; cut <= whole.length; cut++) {
      await writeFile(journal, whole.subarray(0, cut));
      const again = await openFileStore(folder);
      const reported = sizes.filter((size) => size <= cut).length;
      expect(await again.get('a')).toBe(reported === 0 ? undefined : reported - 1);
      expect(await again.get('b')).toBe(await again.get('a'));
      await again.put('after', cut);
      await again.close();
      const third = await openFileStore(folder);
      expect(await third.get('after')).toBe(cut);
      await third.close();
    }
  });

  it('takes zeros at the end for a torn write', async () => {
    const store = await openFileStore(folder);
    await store.put('a', 1);
    await store.close();
    await appendFile(journal, Buffer.alloc(100));
    const again = await openFileStore(folder);
    expect(await again.get('a')).toBe(1);
    await again.close();
  });

  it('refuses a file that is damaged before its end, and leaves it as it is', async () => {
    const store = await openFileStore(folder);
    await store.put('a', 'first');
    await store.put('b', 'second');
    await store.close();
    const bytes = await readFile(journal);
    for (const at of [2, 5, 20]) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      await writeFile(journal, damaged);
      await expect(openFileStore(folder)).rejects.toMatchObject({ code: 'corrupt' });
      expect(await readFile(journal)).toEqual(damaged);
    }
  });

  it('compacts a long journal, and survives a crash between the new snapshot and the empty journal', async () => {
    const store = await openFileStore(folder);
    const value = new Uint8Array(200_000).fill(7);
    for (let n = 0; n < 5; n++) await store.put('big', value.fill(n));
    const before = await readFile(journal);
    await store.put('big', value.fill(5));
    await store.close();
    expect((await stat(journal)).size).toBe(0);
    expect((await stat(join(folder, 'snapshot'))).mode & 0o777).toBe(0o600);

    // the journal as it was before it was emptied: the five writes, and the sixth as another store frames it
    const other = join(folder, 'other');
    const scratch = await openFileStore(other);
    await scratch.put('big', value);
    await scratch.close();
    await writeFile(journal, Buffer.concat([before, await readFile(join(other, 'journal'))]));
    const again = await openFileStore(folder);
    expect(await again.get('big')).toEqual(value);
    await again.close();
  });
});
