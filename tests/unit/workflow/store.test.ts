import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/contracts/workflow.ts';
import type { RunId } from '../../../src/lib/ids.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createRunStore } from '../../../src/workflow/store.ts';
import { step, workflow } from './support.ts';

function run(name: string, at: number, ended = true): { readonly id: RunId; readonly events: readonly RunEvent[] } {
  const id = name as RunId;
  const events: RunEvent[] = [
    { type: 'run_created', runId: id, definition: workflow([step('a')]), inputs: {}, seq: 0, at },
    { type: 'run_started', seq: 1, at },
  ];
  return { id, events: ended ? [...events, { type: 'run_cancelled', reason: '', seq: 2, at }] : events };
}

function open(maxRuns?: number) {
  const kv = createMemoryStore();
  return { kv, store: createRunStore(kv, maxRuns === undefined ? {} : { maxRuns }) };
}

describe('the run store', () => {
  it('keeps events in order over restarts, past ten and past a thousand', async () => {
    const { kv, store } = open();
    const { id, events } = run('r', 1, false);
    await store.append(id, events);
    const more: RunEvent[] = Array.from({ length: 1_200 }, (_, n) => ({
      type: 'step_progress',
      step: step('a').id,
      progress: { done: n, total: null, message: '' },
      seq: n + 2,
      at: n,
    }));
    await store.append(id, more);
    expect(await createRunStore(kv).events(id)).toEqual([...events, ...more]);
  });

  it('lists the newest first', async () => {
    const { store } = open();
    for (const { id, events } of [run('old', 1), run('new', 30), run('mid', 20)]) await store.append(id, events);
    expect(await store.list()).toEqual(['new', 'mid', 'old']);
  });

  it('takes no event that is not the next', async () => {
    const { store } = open();
    const { id, events } = run('r', 1);
    await store.append(id, events.slice(0, 2));
    await expect(store.append(id, events.slice(1, 2))).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.append(id, [{ type: 'run_started', seq: 3, at: 1 }])).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(store.append('other' as RunId, events.slice(1))).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.events(id)).toEqual(events.slice(0, 2));
  });

  it('forgets the oldest that have ended, never one that goes on', async () => {
    const { kv, store } = open(3);
    for (const { id, events } of [run('going', 0, false), run('a', 1), run('b', 2), run('c', 3), run('d', 4)]) {
      await store.append(id, events);
    }
    expect(await store.list()).toEqual(['d', 'c', 'going']);
    expect((await kv.keys()).filter((key) => key.includes('/a') || key.includes('/b'))).toEqual([]);
  });

  it('deletes one run and nothing of another whose id begins alike', async () => {
    const { store } = open();
    const [short, long] = [run('r', 1), run('r1', 2)];
    await store.append(short.id, short.events);
    await store.append(long.id, long.events);
    await store.delete(short.id);
    await store.delete(short.id);
    expect(await store.list()).toEqual([long.id]);
    expect(await store.events(long.id)).toEqual(long.events);
    await expect(store.events(short.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('does not touch what a newer version stored', async () => {
    const { kv, store } = open(1);
    const { id, events } = run('r', 1);
    await store.append(id, events);
    const newer = { version: 2, createdAt: 0, count: 3, ended: true };
    await kv.put('run/head/r', newer);
    await expect(store.events(id)).rejects.toMatchObject({ code: 'format_newer' });
    await expect(store.append(id, events)).rejects.toMatchObject({ code: 'format_newer' });
    await expect(store.delete(id)).rejects.toMatchObject({ code: 'format_newer' });
    const other = run('other', 9);
    await store.append(other.id, other.events);
    expect(await kv.get('run/head/r')).toEqual(newer);
    expect(await store.list()).toEqual(['other', 'r']);
  });

  it('fails as storage does', async () => {
    const kv = createMemoryStore();
    const failing = createRunStore({
      ...kv,
      batch: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
      keys: () => Promise.reject(new Error('disk')),
    });
    await expect(failing.list()).rejects.toMatchObject({ code: 'storage_failed' });
    const { id, events } = run('r', 1);
    const full = createRunStore({ ...kv, batch: () => Promise.reject(new DOMException('full', 'QuotaExceededError')) });
    await expect(full.append(id, events)).rejects.toMatchObject({ code: 'quota_exceeded' });
  });
});
