import type { Connection, Stream } from '@libp2p/interface';
import type { BlockStore } from '../../contracts/dataset.ts';
import type { Clock } from '../../lib/clock.ts';
import { runAfter } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { PeerBudget } from '../rpc/budget.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { MEMBER_QUOTAS } from '../rpc/quotas.ts';
import { checkRoomFor } from '../rpc/relayed.ts';
import { refusal } from '../rpc/tokens.ts';
import { tuneForBulk } from './bulk-channel.ts';
import { MAX_TRANSFER_FRAME_BYTES, OPEN_MS, STALL_MS } from './limits.ts';
import { decodeAsk, encodeBlocks, encodeEnd, encodeError } from './messages.ts';
import type { DatasetTree } from './ports.ts';
import { readBatches } from './read-ahead.ts';
import { SendWindow } from './window.ts';

export interface SendOptions {
  readonly tree: DatasetTree;
  /** this device's blocks */
  readonly local: Pick<BlockStore, 'get' | 'has' | 'getMany'>;
  readonly clock: Clock;
  /** runs one transfer, when there is room for it. @throws `rate_limited` */
  readonly within: (transfer: () => Promise<void>) => Promise<void>;
}

/** The sender's side of one transfer: answers what the stream asks for. */
export function sendDataset(stream: Stream, connection: Connection, options: SendOptions): void {
  const { clock, within } = options;
  const budget = new PeerBudget(MEMBER_QUOTAS, clock);
  const ended = new AbortController();
  let window: SendWindow | null = null;
  tuneForBulk(stream);
  const framed = frameStream(
    stream,
    {
      onFrame(frame) {
        if (!budget.takeMessage(frame.byteLength)) {
          throw refusal('message_rate_or_bandwidth_exceeded', 'too many messages a second');
        }
        const ask = decodeAsk(frame);
        if (ask.type === 'credit' && window !== null) window.grant(ask.bytes);
        else if (ask.type === 'get' && window === null) {
          stopWaiting();
          window = new SendWindow(ask.window);
          void answer(ask.data, ask.offset, window);
        } else throw refusal('payload_not_object', 'not what comes now in a transfer');
      },
      onClose(error) {
        stopWaiting();
        ended.abort(error ?? new TabmeshError('cancelled', 'the receiver has ended the transfer'));
      },
    },
    MAX_TRANSFER_FRAME_BYTES,
  );
  const stopWaiting = runAfter(clock, OPEN_MS, () => {
    framed.abort(refusal('idle_timeout', 'the stream was opened and nothing asked'));
  });

  /** a receiver that grants nothing for long is gone */
  const heard = async (wait: Promise<void>) => {
    const deadline = startDeadline({ clock, ms: STALL_MS, what: 'the receiver', signal: ended.signal });
    try {
      await deadline.race(wait);
    } finally {
      deadline.dispose();
    }
  };
  const send = async (data: CidString, offset: number, granted: SendWindow) => {
    const { tree, local } = options;
    const groups = after(tree.blocksOf(data, local, ended.signal), offset);
    for await (const batch of readBatches(groups, local, ended.signal)) {
      const bytes = batch.reduce((sum, block) => sum + block.byteLength, 0);
      checkRoomFor(connection, bytes);
      await granted.take(bytes, heard);
      await framed.send(encodeBlocks(batch));
    }
    await framed.send(encodeEnd());
  };
  const answer = async (data: CidString, offset: number, granted: SendWindow) => {
    try {
      await within(() => send(data, offset, granted));
    } catch (thrown) {
      if (ended.signal.aborted) return; // nobody is there to be told
      await framed.send(encodeError(toTabmeshError(thrown).toWire())).catch((closed: unknown) => {
        framed.abort(closed as Error);
      });
    }
    // all has been said; the receiver closes its side when it has stored it
    await framed.close().catch((error: unknown) => {
      framed.abort(error as Error);
    });
  };
}

/** What follows the first `offset` addresses. */
async function* after(
  groups: AsyncIterable<readonly CidString[]>,
  offset: number,
): AsyncGenerator<readonly CidString[], void, void> {
  let passed = 0;
  for await (const group of groups) {
    const rest = group.slice(Math.max(0, offset - passed));
    passed += group.length;
    if (rest.length > 0) yield rest;
  }
}
