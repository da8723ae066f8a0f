import type { Stream } from '@libp2p/interface';
import type { BlockStore } from '../../contracts/dataset.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { BlockOrder } from './block-order.ts';
import { tuneForBulk } from './bulk-channel.ts';
import { Inbox } from './inbox.ts';
import { MAX_TRANSFER_FRAME_BYTES, STALL_MS, WINDOW_BYTES } from './limits.ts';
import { decodeAnswer, encodeCredit, encodeGet } from './messages.ts';
import type { Answer } from './messages.ts';
import type { DatasetTree } from './ports.ts';
import type { TransferProgress } from './store-queue.ts';
import { StoreQueue } from './store-queue.ts';

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
  const store = new StoreQueue({
    local,
    verify: (block) => tree.verify(block),
    offset,
    onStored: (bytes, progress) => {
      options.onProgress?.(progress);
      say(encodeCredit(bytes));
    },
  });
  const expected = new BlockOrder(tree.blocksOf(data, store, signal));
  const wait = (answer: Promise<Answer>) => {
    const deadline = startDeadline({ clock, ms: STALL_MS, what: 'the sender of the dataset', signal });
    return deadline.race(answer).finally(() => {
      deadline.dispose();
    });
  };
  try {
    await expected.skip(offset);
    say(encodeGet(data, offset, WINDOW_BYTES));
    for (;;) {
      signal.throwIfAborted();
      const answer = inbox.takeNow() ?? (await wait(inbox.take()));
      if (answer.type === 'error') throw answer.error;
      if (answer.type === 'end') break;
      await store.add(answer.blocks, () => nextOf(expected));
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

function nextOf(expected: BlockOrder): CidString | Promise<CidString> {
  return (
    expected.take() ??
    expected.takeNext().then((cid) => {
      if (cid === undefined) throw broken('more blocks than the dataset has');
      return cid;
    })
  );
}

function broken(what: string): TabmeshError {
  return new TabmeshError('protocol_error', `the transfer has ${what}`, { details: { token: 'payload_not_object' } });
}
