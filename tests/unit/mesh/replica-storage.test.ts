import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createWebLock } from '../../../src/mesh/storage/lock.browser.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import type { WriteLock } from '../../../src/mesh/storage/lock.ts';
import { openVersioned } from '../../../src/mesh/storage/versioned.ts';

describe('versioned stores', () => {
  it('are marked when new and left alone when current', async () => {
    const store = createMemoryStore();
    await openVersioned(store, 'run', 3);
    expect(await store.get('format/run')).toBe(3);
    await openVersioned(store, 'run', 3);
    expect(await store.keys()).toEqual(['format/run']);
  });

  it('are migrated step by step in one batch; a step sees what the one before wrote', async () => {
    const inner = createMemoryStore();
    await inner.batch([
      { key: 'format/run', value: 1 },
      { key: 'run/a', value: 'a' },
    ]);
    let batches = 0;
    const store = {
      ...inner,
      batch: (writes: readonly { key: string; value: unknown }[]) => {
        batches++;
        return inner.batch(writes);
      },
    };
    await openVersioned(store, 'run', 3, {
      1: async (view) => [
        { key: 'run/b', value: `${await view.get<string>('run/a')}b` },
        { key: 'run/a', value: undefined },
      ],
      2: async (view) => [
        { key: 'run/c', value: [await view.keys('run/'), await view.get('run/a'), await view.get('run/b')] },
      ],
    });
    expect(batches).toBe(1);
    expect(await inner.get('format/run')).toBe(3);
    expect(await inner.get('run/c')).toEqual([['run/b'], undefined, 'ab']);
    expect(await inner.keys('run/')).toEqual(['run/b', 'run/c']);
  });

  it('are untouched when a migration fails, is missing, or they are newer or damaged', async () => {
    const cases: [unknown, Parameters<typeof openVersioned>[3], string][] = [
      [1, { 1: () => Promise.reject(new Error('no')) }, ''],
      [1, {}, 'unsupported'],
      [3, {}, 'format_newer'],
      ['x', {}, 'corrupt'],
      [0, {}, 'corrupt'],
    ];
    for (const [found, migrations, code] of cases) {
      const store = createMemoryStore();
      await store.put('format/run', found);
      await store.put('run/a', 1);
      await expect(openVersioned(store, 'run', 2, migrations)).rejects.toMatchObject(
        code === '' ? { message: 'no' } : { code },
      );
      expect(await store.get('format/run')).toBe(found);
      expect(await store.get('run/a')).toBe(1);
    }
  });
});

describe.each<[string, () => WriteLock]>([
  ['in one process', createProcessLock],
  ['Web Locks', () => createWebLock(`test/${crypto.randomUUID()}`)],
])('write lock: %s', (_, create) => {
  it('runs one at a time, in order, and goes on after a failure', async () => {
    const lock = create();
    const events: string[] = [];
    const work = (name: string, fails = false) =>
      lock.run(async () => {
        events.push(`${name} starts`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('lets go of who no longer wants to wait', async () => {
    const lock = create();
    const started = Promise.withResolvers<undefined>();
    const finish = Promise.withResolvers<undefined>();
    const first = lock.run(() => {
      started.resolve(undefined);
      return finish.promise;
    });
    await started.promise;
    const caller = new AbortController();
    let ran = false;
    const second = lock.run(async () => {
      ran = true;
    }, caller.signal);
    caller.abort(new Error('changed my mind'));
    await expect(second).rejects.toThrow('changed my mind');
    finish.resolve(undefined);
    await first;
    await lock.run(() => Promise.resolve());
    expect(ran).toBe(false);
  });
});
