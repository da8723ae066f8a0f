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
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run: <T>(work: () => Promise<T>, signal?: AbortSignal) => {
      const turn = tail.then(() => {
        signal?.throwIfAborted();
        return work();
      });
      // the next in the queue waits for the end of this one, however it ends; the caller gets the failure
      tail = turn.catch(() => undefined);
      return turn;
    },
  };
}
