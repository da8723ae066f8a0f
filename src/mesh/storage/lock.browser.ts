import type { WriteLock } from './lock.ts';

/**
 * A lock over all tabs and workers of this browser profile, by the Web Locks API.
 * @param name of the lock; shared by all who guard the same thing
 * @param locks the lock manager; the page's own by default
 * @see https://w3c.github.io/web-locks/
 */
export function createWebLock(name: string, locks: Pick<LockManager, 'request'> = navigator.locks): WriteLock {
  return {
    run: async <T>(work: () => Promise<T>, signal?: AbortSignal) =>
      await locks.request(name, { mode: 'exclusive', ...(signal === undefined ? {} : { signal }) }, work),
  };
}
