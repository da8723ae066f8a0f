import type { CidString } from '../../lib/ids.ts';

/** The addresses of a dataset's blocks one after another, as the blocks that name them become known. */
export class BlockOrder {
  readonly #groups: AsyncIterator<readonly CidString[]>;
  #group: readonly CidString[] = [];
  #at = 0;

  constructor(groups: AsyncIterable<readonly CidString[]>) {
    this.#groups = groups[Symbol.asyncIterator]();
  }

  /** The next address, when it can be told without waiting: thousands come from one page. */
  take(): CidString | undefined {
    return this.#group[this.#at++];
  }

  /** The next address; undefined at the end. @throws what the groups throw */
  async takeNext(): Promise<CidString | undefined> {
    for (;;) {
      if (this.#at < this.#group.length) return this.take();
      const next = await this.#groups.next();
      if (next.done === true) return undefined;
      this.#group = next.value;
      this.#at = 0;
    }
  }

  async skip(count: number): Promise<void> {
    for (let i = 0; i < count; i++) if (this.take() === undefined) await this.takeNext();
  }

  async close(): Promise<void> {
    await this.#groups.return?.();
  }
}
