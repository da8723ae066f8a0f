import type { Stream } from '@libp2p/interface';
import type { BlockSource, BlockStore } from '../../contracts/dataset.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { BlockOrder } from './block-order.ts';
import { tuneForBulk } from './bulk-channel.ts';
import { Inbox } from './inbox.ts';
import { CREDIT_STEP_BYTES, MAX_TRANSFER_FRAME_BYTES, STALL_MS, WINDOW_BYTES } from './limits.ts';
import { decodeAnswer, encodeCredit, encodeGet } from './messages.ts';
import type { Answer } from './messages.ts';
import type { DatasetTree } from './ports.ts';

/** What has been received, verified and stored. */
export interface TransferProgress {
  /** of the dataset, those included that were here before: the offset to go on from */
  readonly blocks: number;
  /** of this transfer */
  readonly bytes: number;
}

export interface ReceiveOptions {
  readonly data: CidString;
  /** blocks of the dataset, from its root on, that are here already */
  readonly offset: number;
  readonly tree: DatasetTree;
  readonly local: BlockStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** told after each batch that was stored */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/**
 * The receiver's side of one transfer. Which block comes next follows from the root and what it names, so a block that was
 * not asked for, or whose bytes are not what its address says, is never stored.
 * @throws what the sender tells; `corrupt`, `protocol_error`, `timeout`, `peer_unreachable`; `signal.reason`. What was stored
 *   until then stays, and is in the last progress
 */
export async function receiveDataset(stream: Stream, options: ReceiveOptions): Promise<TransferProgress> {
  const { data, offset, tree, local, clock, signal } = options;
  tuneForBulk(stream);
  const inbox = new Inbox<Answer>();
  const framed = frameStream(
    stream,
    {
      onFrame: (frame) => {
        inbox.put(decodeAnswer(frame));
      },
      onClose: (error) => {
        inbox.close(error ?? new TabmeshError('peer_unreachable', 'the sender has ended the transfer before its end'));
      },
    },
    MAX_TRANSFER_FRAME_BYTES,
  );
  const onAbort = () => {
    framed.abort(signal.reason as Error);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', onAbort, { once: true });
  // whether it has arrived shows in the inbox, which also tells why the stream has ended
  const say = (message: readonly Uint8Array[]) => void framed.send(message).catch(() => undefined);
  const store = new StoreQueue(local, offset, (bytes, progress) => {
    options.onProgress?.(progress);
    say(encodeCredit(bytes));
  });
  const expected = new BlockOrder(tree.blocksOf(data, store, signal));
  try {
    await expected.skip(offset);
    say(encodeGet(data, offset, WINDOW_BYTES));
    for (;;) {
      const deadline = startDeadline({ clock, ms: STALL_MS, what: 'the sender of the dataset', signal });
      const answer = await deadline.race(inbox.take()).finally(() => {
        deadline.dispose();
      });
      if (answer.type === 'error') throw answer.error;
      if (answer.type === 'end') break;
      await store.add(answer.blocks, expected, tree);
    }
    if ((await expected.takeNext()) !== undefined) throw broken('fewer blocks than the dataset has');
    await store.flush();
    await framed.close();
    return store.progress;
  } catch (thrown) {
    signal.throwIfAborted();
    framed.abort(thrown as Error);
    // what is verified is worth keeping; that it could not be kept is told by what comes next
    await store.flush().catch(() => undefined);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await expected.close();
  }
}

/** Verified blocks on their way into the store: one batch is being written while the next is gathered. */
class StoreQueue implements BlockSource {
  readonly #local: BlockStore;
  readonly #onStored: (bytes: number, progress: TransferProgress) => void;
  /** came in one frame and is being verified */
  #arrived = new Map<CidString, Uint8Array>();
  #gathered = new Map<CidString, Uint8Array>();
  #gatheredCount = 0;
  #gatheredBytes = 0;
  #writing = Promise.resolve();
  #beingWritten: ReadonlyMap<CidString, Uint8Array> = new Map();
  #blocks: number;
  #bytes = 0;

  constructor(local: BlockStore, offset: number, onStored: (bytes: number, progress: TransferProgress) => void) {
    this.#local = local;
    this.#blocks = offset;
    this.#onStored = onStored;
  }

  get progress(): TransferProgress {
    return { blocks: this.#blocks, bytes: this.#bytes };
  }

  /** what the tree asks for to know what comes next: it has just come, or was here before */
  get(cid: CidString, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = this.#arrived.get(cid) ?? this.#gathered.get(cid) ?? this.#beingWritten.get(cid);
    return bytes === undefined ? this.#local.get(cid, signal) : Promise.resolve(bytes);
  }

  async has(cid: CidString, signal?: AbortSignal): Promise<boolean> {
    return this.#gathered.has(cid) || (await this.#local.has(cid, signal));
  }

  async add(blocks: readonly Uint8Array[], expected: BlockOrder, tree: DatasetTree): Promise<void> {
    this.#arrived = new Map();
    for (const view of blocks) {
      const cid = expected.take() ?? (await expected.takeNext());
      if (cid === undefined) throw broken('more blocks than the dataset has');
      // a view would keep, and some databases would store, the whole frame
      this.#arrived.set(cid, view.slice());
    }
    await Promise.all(Array.from(this.#arrived, ([cid, bytes]) => tree.verify({ cid, bytes })));
    for (const [cid, bytes] of this.#arrived) this.#gathered.set(cid, bytes);
    this.#gatheredCount += blocks.length;
    this.#gatheredBytes += blocks.reduce((sum, view) => sum + view.byteLength, 0);
    if (this.#gatheredBytes >= CREDIT_STEP_BYTES) await this.#write();
  }

  async flush(): Promise<void> {
    await this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    await this.#writing;
    const [blocks, count, bytes] = [this.#gathered, this.#gatheredCount, this.#gatheredBytes];
    this.#gathered = new Map();
    this.#gatheredCount = 0;
    this.#gatheredBytes = 0;
    if (count === 0) return;
    this.#beingWritten = blocks;
    this.#writing = this.#local.putMany([...blocks].map(([cid, content]) => ({ cid, bytes: content }))).then(() => {
      this.#blocks += count;
      this.#bytes += bytes;
      this.#onStored(bytes, this.progress);
    });
    // whoever writes next, or flushes, is told
    this.#writing.catch(() => undefined);
  }
}

function broken(what: string): TabmeshError {
  return new TabmeshError('protocol_error', `the transfer has ${what}`, { details: { token: 'payload_not_object' } });
}
