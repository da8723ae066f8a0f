import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../src/contracts/kv.ts';

export interface KvSubject {
  /** opens an empty place; every `open` of one subject sees the same data when `persistent` */
  open(): Promise<KeyValueStore>;
  dispose(): Promise<void>;
}

/** What every {@link KeyValueStore} does, whatever holds the bytes. */
export function kvContract(name: string, make: () => Promise<KvSubject>, options: { persistent: boolean }): void {
  describe(`KeyValueStore contract: ${name}`, () => {
    let subject: KvSubject;
    let store: KeyValueStore;

    beforeEach(async () => {
      subject = await make();
      store = await subject.open();
    });
    afterEach(async () => {
      await store.close();
      await subject.dispose();
    });

    it('answers undefined for what is not there', async () => {
      expect(await store.get('nothing')).toBeUndefined();
      expect(await store.keys()).toEqual([]);
    });

    it('returns structured values as they were put', async () => {
      const value = {
        text: 'Größe 🐦',
        nothing: null,
        list: [1, -0.5, 2 ** 53 - 1],
        bytes: Uint8Array.of(0, 127, 255),
        at: new Date(0),
        map: new Map([['k', new Set([1])]]),
      };
      await store.put('a', value);
      const found = await store.get<typeof value>('a');
      expect(found).toEqual(value);
      expect(found?.bytes).toBeInstanceOf(Uint8Array);
    });

    it('keeps falsy values', async () => {
      for (const value of [0, '', false, null]) {
        await store.put('falsy', value);
        expect(await store.get('falsy')).toBe(value);
      }
    });

    it('returns several values in the order of their keys', async () => {
      await store.batch([
        { key: 'a', value: 1 },
        { key: 'b', value: { deep: [2] } },
      ]);
      expect(await store.getMany(['b', 'nothing', 'a', 'b'])).toEqual([{ deep: [2] }, undefined, 1, { deep: [2] }]);
      expect(await store.getMany([])).toEqual([]);
    });

    it('replaces and deletes', async () => {
      await store.put('a', 1);
      await store.put('a', 2);
      expect(await store.get('a')).toBe(2);
      await store.delete('a');
      await store.delete('never there');
      expect(await store.get('a')).toBeUndefined();
      expect(await store.keys()).toEqual([]);
    });

    it('is not changed through a value that was put or got', async () => {
      const put = { bytes: Uint8Array.of(1, 2, 3), list: [1] };
      await store.put('a', put);
      put.bytes.fill(9);
      put.list.push(2);
      const got = await store.get<typeof put>('a');
      got?.bytes.fill(8);
      got?.list.push(3);
      expect(await store.get('a')).toEqual({ bytes: Uint8Array.of(1, 2, 3), list: [1] });
    });

    it('takes any string as a key, apart by case, and lists by prefix in code-unit order', async () => {
      const keys = [
        '',
        'a',
        'A',
        'a/',
        'a/1',
        'a/10',
        'a/2',
        'a\uffff',
        'a\uffff\uffffz',
        'ab',
        'b',
        '../x',
        'é',
        '𝄞',
        '\u0000',
      ];
      await store.batch(keys.map((key, index) => ({ key, value: index })));
      expect(await store.keys()).toEqual([...keys].sort());
      for (const prefix of ['a', 'a/', 'a/1', 'a\uffff', '𝄞', 'zz', '..']) {
        expect(await store.keys(prefix)).toEqual(keys.filter((key) => key.startsWith(prefix)).sort());
      }
      expect(await store.get('A')).toBe(2);
      expect(await store.get('../x')).toBe(11);
    });

    it('runs a batch in order, the last write of a key wins, undefined deletes', async () => {
      await store.put('gone', 1);
      await store.batch([
        { key: 'gone', value: undefined },
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
        { key: 'a', value: 3 },
      ]);
      expect(await store.keys()).toEqual(['a', 'b']);
      expect(await store.get('a')).toBe(3);
      await store.batch([]);
    });

    it('does nothing of a batch that holds something unstorable', async () => {
      await store.put('a', 1);
      await expect(
        store.batch([
          { key: 'a', value: 2 },
          { key: 'b', value: () => 'a function' },
          { key: 'c', value: 3 },
        ]),
      ).rejects.toMatchObject({ name: 'TabmeshError', code: 'invalid_input' });
      expect(await store.get('a')).toBe(1);
      expect(await store.keys()).toEqual(['a']);
    });

    it('keeps the order of writes that were not awaited one by one', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.put('counter', index)));
      expect(await store.get('counter')).toBe(49);
    });

    it('refuses everything after close, and may be closed twice', async () => {
      await store.close();
      await store.close();
      await expect(store.get('a')).rejects.toMatchObject({ code: 'storage_failed' });
      await expect(store.put('a', 1)).rejects.toMatchObject({ code: 'storage_failed' });
      await expect(store.keys()).rejects.toMatchObject({ code: 'storage_failed' });
    });

    it.runIf(options.persistent)('holds the same as a map after any writes, also when opened again', async () => {
      const write = fc.record({
        key: fc.constantFrom('a', 'b', 'c/1', 'c/2', 'd'),
        value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 6 }), async (batches) => {
          const model = new Map<string, Uint8Array>();
          await store.batch((await store.keys()).map((key) => ({ key, value: undefined })));
          for (const batch of batches) {
            await store.batch(batch);
            for (const { key, value } of batch) {
              if (value === undefined) model.delete(key);
              else model.set(key, value);
            }
          }
          await store.close();
          store = await subject.open();
          expect(await store.keys()).toEqual([...model.keys()].sort());
          for (const [key, value] of model) expect(await store.get(key)).toEqual(value);
        }),
        { numRuns: 20 },
      );
    });
  });
}
