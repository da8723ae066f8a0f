import type { BlockHold } from './hold.ts';
import { busy, withSweeping } from './hold.ts';

/**
 * A {@link BlockHold} over all tabs and workers of this browser profile, by the Web Locks API.
 * @param name of the lock
 */
export function createWebHold(name: string): BlockHold {
  return withSweeping({
    writing: async (work) => await navigator.locks.request(name, { mode: 'shared' }, work),
    deleting: async (work) =>
      await navigator.locks.request(name, { mode: 'exclusive', ifAvailable: true }, (lock) => {
        if (lock === null) throw busy();
        return work();
      }),
  });
}
