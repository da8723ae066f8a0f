import { describe, expect, it } from 'vitest';
import { createWebHold } from '../../../src/mesh/storage/hold.browser.ts';
import { createProcessHold } from '../../../src/mesh/storage/hold.ts';

let locks = 0;
const newWebHold = () => createWebHold(`test/hold/${locks++}`);

/** Work that goes on until its signal fires. */
function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

describe('the hold between writing and deleting blocks', () => {
  it('lets many write, and nobody delete meanwhile', async () => {
    const hold = createProcessHold();
    const gate = Promise.withResolvers<string>();
    const writing = [hold.writing(() => gate.promise), hold.writing(() => gate.promise)];
    let began = false;
    const deleting = hold.deleting(() => {
      began = true;
      return Promise.resolve();
    });
    await expect(deleting).rejects.toMatchObject({ code: 'conflict', retryable: true });
    expect(began).toBe(false);
    gate.resolve('written');
    expect(await Promise.all(writing)).toEqual(['written', 'written']);
    expect(await hold.deleting(() => Promise.resolve('deleted'))).toBe('deleted');
  });

  it('makes a writer wait for the end of a deletion, however it ends', async () => {
    const hold = createProcessHold();
    const gate = Promise.withResolvers<never>();
    const deleting = hold.deleting(() => gate.promise);
    const order: string[] = [];
    const writing = hold.writing(() => {
      order.push('written');
      return Promise.resolve();
    });
    order.push('deletion fails');
    gate.reject(new Error('disk'));
    await expect(deleting).rejects.toThrow('disk');
    await writing;
    expect(order).toEqual(['deletion fails', 'written']);
  });
});

describe.each([
  ['of a process', createProcessHold],
  ['of a browser', newWebHold],
])('clearing up under the hold %s', (_, newHold) => {
  it('makes way for whoever writes or deletes', async () => {
    const hold = newHold();
    for (const use of [hold.writing, hold.deleting]) {
      const order: string[] = [];
      const sweeping = hold.sweeping(untilStopped).catch((thrown: unknown) => {
        order.push('stopped');
        throw thrown;
      });
      const used = use(() => {
        order.push('used');
        return Promise.resolve('done');
      });
      await expect(sweeping).rejects.toMatchObject({ code: 'cancelled' });
      expect(await used).toBe('done');
      expect(order.toSorted()).toEqual(['stopped', 'used']);
    }
  });

  it('does not begin while somebody writes or clears up, and the writer is not kept waiting', async () => {
    const hold = newHold();
    const gate = Promise.withResolvers<string>();
    const writing = hold.writing(() => gate.promise);
    await expect(hold.sweeping(() => Promise.reject(new Error('not reached')))).rejects.toMatchObject({
      code: 'conflict',
    });
    gate.resolve('written');
    expect(await writing).toBe('written');
    const first = hold.sweeping(() => Promise.resolve('swept'));
    await expect(hold.sweeping(() => Promise.resolve('twice'))).rejects.toMatchObject({ code: 'conflict' });
    expect(await first).toBe('swept');
    expect(await hold.sweeping((signal) => Promise.resolve(signal.aborted))).toBe(false);
  });
});

describe('the holds of two tabs', () => {
  it('keep a sweep from beginning while the other tab writes, and a writer waiting while the other tab sweeps', async () => {
    const name = `test/hold/${locks++}`;
    const [one, two] = [createWebHold(name), createWebHold(name)];
    const gate = Promise.withResolvers<string>();
    const writing = one.writing(() => gate.promise);
    await expect(two.sweeping(() => Promise.reject(new Error('not reached')))).rejects.toMatchObject({
      code: 'conflict',
    });
    gate.resolve('written');
    await writing;
    const order: string[] = [];
    const ended = Promise.withResolvers<undefined>();
    const sweeping = two.sweeping(async () => {
      await ended.promise;
      order.push('swept');
    });
    const later = one.writing(() => {
      order.push('written');
      return Promise.resolve();
    });
    ended.resolve(undefined);
    await Promise.all([sweeping, later]);
    expect(order).toEqual(['swept', 'written']);
  });
});
