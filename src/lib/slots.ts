/** A counting semaphore: at most `limit` tasks run at once, the others wait in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param limit what the shared thing serves well at once */
  constructor(limit: number) {
    this.#free = limit;
  }

  /**
   * Runs the task when a slot is free.
   * @throws `signal.reason` when aborted while waiting; whatever the task throws
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const granted = () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        this.#waiting.splice(this.#waiting.indexOf(granted), 1);
        reject(signal?.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError'));
      };
      this.#waiting.push(granted);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }
}
