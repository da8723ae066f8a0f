import type { Stream } from '@libp2p/interface';
import { toTabmeshError } from '../../lib/errors.ts';
import type { FramedStream } from './framed-stream.ts';
import { frameStream } from './framed-stream.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import type { RpcSessionOptions } from './session.ts';
import { RpcSession } from './session.ts';
import { refusal } from './tokens.ts';

export interface OpenSessionOptions extends Omit<RpcSessionOptions, 'stream'> {
  readonly maxBytes?: number;
  /** called once, when the session has ended */
  readonly onClose?: () => void;
}

/** Puts a session on a stream. @param stream an open libp2p stream whose protocol is negotiated */
export function openSession(
  stream: Stream,
  options: OpenSessionOptions,
): { readonly session: RpcSession; readonly framed: FramedStream } {
  const { budget, maxBytes = MAX_FRAME_BYTES, onClose } = options;
  const framed = frameStream(
    stream,
    {
      onFrame(payload) {
        session.receive(payload);
      },
      onBroken(error) {
        session.refuse(toTabmeshError(error, 'protocol_error'));
      },
      onBuffered(change) {
        if (budget.buffer(change)) return;
        throw refusal('message_rate_or_bandwidth_exceeded', 'too many bytes of unfinished frames');
      },
      onClose() {
        session.ended();
        onClose?.();
      },
    },
    maxBytes,
  );
  const session = new RpcSession({ ...options, stream: framed });
  return { session, framed };
}
