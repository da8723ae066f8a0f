/** Hands what comes in by events to one reader that waits for it. Its sender is held back by a window, so it stays small. */
export class Inbox<T> {
  readonly #items: T[] = [];
  #waiting: { readonly resolve: (item: T) => void; readonly reject: (error: Error) => void } | null = null;
  #closed: Error | null = null;

  put(item: T): void {
    if (this.#waiting === null) this.#items.push(item);
    else {
      this.#waiting.resolve(item);
      this.#waiting = null;
    }
  }

  /** Nothing more comes; what is here can still be taken. */
  close(error: Error): void {
    this.#closed ??= error;
    this.#waiting?.reject(this.#closed);
    this.#waiting = null;
  }

  /** What is here; undefined when it would have to be waited for. */
  takeNow(): T | undefined {
    return this.#items.shift();
  }

  /** @throws what it was closed with, when it is empty */
  take(): Promise<T> {
    const next = this.#items.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#closed !== null) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
