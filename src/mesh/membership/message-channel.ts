import type { Stream } from '@libp2p/interface';
import { systemClock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { PeerBudget } from '../rpc/budget.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { STRANGER_QUOTAS } from '../rpc/quotas.ts';
import { refusal } from '../rpc/tokens.ts';
import type { JoinChannel } from './join.ts';

/** A handshake takes turns; somebody who sends ahead of them by more than a message or two is not taking part in one. */
const MAX_UNREAD_MESSAGES = 4;

/**
 * Turn-based reading and writing of frames over a stream, for short handshakes with somebody who may be a stranger.
 * @param signal aborts the stream and rejects a waiting `read`
 */
export function messageChannel(
  stream: Stream,
  maxBytes: number,
  signal: AbortSignal,
): JoinChannel & { close(): Promise<void> } {
  const budget = new PeerBudget(STRANGER_QUOTAS, systemClock);
  const frames: Uint8Array[] = [];
  let waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void } | null = null;
  let ended: Error | null = null;

  const fail = (error: Error) => {
    ended = error;
    waiting?.reject(error);
    waiting = null;
  };
  const framed: FramedStream = frameStream(
    stream,
    {
      onFrame(payload) {
        if (!budget.takeMessage(payload.byteLength) || frames.length >= MAX_UNREAD_MESSAGES) {
          throw refusal('message_rate_or_bandwidth_exceeded', 'more messages than a handshake has');
        }
        if (waiting !== null) {
          const { resolve } = waiting;
          waiting = null;
          resolve(payload);
        } else frames.push(payload);
      },
      onClose(error) {
        signal.removeEventListener('abort', onAbort);
        fail(error ?? new TabmeshError('peer_unreachable', 'the other side closed the stream'));
      },
    },
    maxBytes,
  );
  const onAbort = () => {
    const error =
      signal.reason instanceof Error ? signal.reason : new TabmeshError('timeout', 'the handshake took too long');
    framed.abort(error);
    fail(error);
  };
  signal.addEventListener('abort', onAbort, { once: true });

  return {
    write: (bytes) => framed.send(bytes),
    read: () => {
      const next = frames.shift();
      if (next !== undefined) return Promise.resolve(next);
      if (ended !== null) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
      });
    },
    close: () => framed.close(),
  };
}
