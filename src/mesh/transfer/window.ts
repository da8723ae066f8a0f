/** The sender's side of flow control: bytes that it may still send. */
export class SendWindow {
  #left: number;
  #wake: (() => void) | null = null;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  grant(bytes: number): void {
    this.#left += bytes;
    this.#wake?.();
  }

  /**
   * Takes bytes; below zero is owed, so that one block may be larger than what is left.
   * @param waitedFor is told of every wait, and may reject it
   */
  async take(bytes: number, waitedFor: (wait: Promise<void>) => Promise<void>): Promise<void> {
    while (this.#left <= 0) {
      await waitedFor(
        new Promise((resolve) => {
          this.#wake = resolve;
        }),
      );
    }
    this.#left -= bytes;
  }
}
