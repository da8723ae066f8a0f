import { describe, expect, it } from 'vitest';
import { createProcessHold } from '../../../src/mesh/storage/hold.ts';

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
