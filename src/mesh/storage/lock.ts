/** Lets one piece of work at a time touch what it guards, over all who share it: the tabs of a device, or one process. */
export interface WriteLock {
  /**
   * Waits for the lock, runs `work`, frees the lock when it settles.
   * @param signal gives up waiting; work that has begun is not interrupted
   * @throws what `work` throws, or the signal's reason
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** A lock for one process: first come, first served. */
export function createProcessLock(): WriteLock {
  let tail: Promise<void> = Promise.resolve();
  return {
    run: <T>(work: () => Promise<T>, signal?: AbortSignal) =>
      new Promise<T>((resolve, reject) => {
        const giveUp = () => {
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        tail = tail.then(async () => {
          signal?.removeEventListener('abort', giveUp);
          try {
            signal?.throwIfAborted();
            resolve(await work());
          } catch (thrown) {
            reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
          }
        });
      }),
  };
}
