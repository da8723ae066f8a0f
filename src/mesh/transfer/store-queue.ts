import type { BlockSource, BlockStore } from '../../contracts/dataset.ts';
import type { CidString } from '../../lib/ids.ts';
import { CREDIT_STEP_BYTES, VERIFY_AHEAD_BYTES } from './limits.ts';

/** What has been received, verified and stored. */
export interface TransferProgress {
  /** of the dataset, those included that were here before: the offset to go on from */
  readonly blocks: number;
  /** of this transfer */
  readonly bytes: number;
}

export interface StoreQueueOptions {
  readonly local: BlockStore;
  /** @throws when the bytes are not what the address names */
  readonly verify: (block: Block) => Promise<void>;
  /** blocks that were here before */
  readonly offset: number;
  /** @param bytes stored since it was last told */
  readonly onStored: (bytes: number, progress: TransferProgress) => void;
}

/** A block and its address. */
interface Block {
  readonly cid: CidString;
  readonly bytes: Uint8Array;
}

/** Blocks that came in one frame, and whether they are what they should be. */
interface Arrived {
  readonly blocks: readonly Block[];
  readonly bytes: number;
  readonly verified: Promise<unknown>;
}

/**
 * Blocks on their way into the store, in their order: some frames are being verified while the batch before them is being
 * written. What is written has been verified, and so has all that comes before it.
 */
export class StoreQueue implements BlockSource {
  readonly #options: StoreQueueOptions;
  /** all that have come and are not stored yet */
  readonly #held = new Map<CidString, Uint8Array>();
  #arrived: Arrived[] = [];
  #arrivedBytes = 0;
  #verified: Block[] = [];
  #verifiedBytes = 0;
  #writing = Promise.resolve();
  #blocks: number;
  #bytes = 0;

  constructor(options: StoreQueueOptions) {
    this.#options = options;
    this.#blocks = options.offset;
  }

  get progress(): TransferProgress {
    return { blocks: this.#blocks, bytes: this.#bytes };
  }

  /** What the tree asks for to know what comes next: it has come, verified or not, or was here before. */
  get(cid: CidString, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = this.#held.get(cid);
    return bytes === undefined ? this.#options.local.get(cid, signal) : Promise.resolve(bytes);
  }

  async has(cid: CidString, signal?: AbortSignal): Promise<boolean> {
    return this.#held.has(cid) || (await this.#options.local.has(cid, signal));
  }

  /**
   * Takes what came in one frame.
   * @param next the address that the next block must have
   * @throws when that cannot be told, when a block of this or an earlier frame is not what it should be, and when storing
   *   fails; then nothing may be added any more
   */
  async add(contents: readonly Uint8Array[], next: () => CidString | Promise<CidString>): Promise<void> {
    const blocks: Block[] = [];
    let size = 0;
    for (const bytes of contents) {
      const address = next();
      const cid = typeof address === 'string' ? address : await address;
      blocks.push({ cid, bytes });
      this.#held.set(cid, bytes);
      size += bytes.byteLength;
    }
    const verified = Promise.all(blocks.map((block) => this.#options.verify(block)));
    // whoever takes it out of the queue is told
    verified.catch(() => undefined);
    this.#arrived.push({ blocks, bytes: size, verified });
    this.#arrivedBytes += size;
    while (this.#arrivedBytes > VERIFY_AHEAD_BYTES) await this.#takeVerified();
  }

  /** Waits until all is stored. @throws as {@link add}; then all that came before is stored */
  async flush(): Promise<void> {
    try {
      while (this.#arrived.length > 0) await this.#takeVerified();
    } finally {
      this.#arrived = [];
      await this.#write();
      await this.#writing;
    }
  }

  async #takeVerified(): Promise<void> {
    const frame = this.#arrived.shift();
    if (frame === undefined) return;
    this.#arrivedBytes -= frame.bytes;
    try {
      await frame.verified;
    } catch (thrown) {
      // what comes behind it may be right, and still is not to be stored
      this.#arrived = [];
      throw thrown;
    }
    this.#verified.push(...frame.blocks);
    this.#verifiedBytes += frame.bytes;
    if (this.#verifiedBytes >= CREDIT_STEP_BYTES) await this.#write();
  }

  async #write(): Promise<void> {
    await this.#writing;
    const [blocks, bytes] = [this.#verified, this.#verifiedBytes];
    this.#verified = [];
    this.#verifiedBytes = 0;
    if (blocks.length === 0) return;
    this.#writing = this.#options.local.putMany(blocks).then(() => {
      for (const { cid } of blocks) this.#held.delete(cid);
      this.#blocks += blocks.length;
      this.#bytes += bytes;
      this.#options.onStored(bytes, this.progress);
    });
    // whoever writes next, or flushes, is told
    this.#writing.catch(() => undefined);
  }
}
