import type { Stream } from '@libp2p/interface';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './frames.ts';
import { sendWholeMessages } from './whole-messages.ts';

/**
 * How much may wait for a slow reader before senders are made to wait: a few large answers, not unbounded memory.
 */
const MAX_QUEUED_BYTES = 4 * MAX_FRAME_BYTES;

/** A 64 KiB batch fills a data channel message or two; beyond that joining frames saves nothing. */
const MAX_BATCH_BYTES = 64 * 1024;

/** A libp2p stream that carries whole frames. */
export interface FramedStream {
  /**
   * Queues one frame. Frames queued in the same turn leave in one write. Resolves when the stream has taken it.
   * @throws `payload_too_large`, `peer_unreachable` when the stream is closed, `rate_limited` when the reader is too slow;
   *   `details.sent` is false when certainly nothing of it has left
   */
  send(payload: Uint8Array): Promise<void>;
  /** closes the writing side after what is queued has left */
  close(): Promise<void>;
  abort(error: Error): void;
  readonly closed: boolean;
}

export interface FramedStreamHandlers {
  onFrame(payload: Uint8Array): void;
  /** called once; `error` is null after an orderly end */
  onClose(error: Error | null): void;
}

/**
 * Wraps a stream. Backpressure is the stream's own: when `send()` answers false, the next write waits for drain.
 * @param stream an open libp2p stream whose protocol is negotiated
 */
export function frameStream(stream: Stream, handlers: FramedStreamHandlers, maxBytes = MAX_FRAME_BYTES): FramedStream {
  sendWholeMessages(stream);
  const decoder = new FrameDecoder(maxBytes);
  let queue: { frame: Uint8Array; done: () => void; failed: (e: Error) => void }[] = [];
  let queuedBytes = 0;
  let pumping = false;
  let closed = false;

  const end = (error: Error | null) => {
    if (closed) return;
    closed = true;
    for (const item of queue) item.failed(unreachable(error, false));
    queue = [];
    handlers.onClose(error);
  };

  stream.addEventListener('message', (event) => {
    try {
      for (const payload of decoder.push(event.data.subarray())) handlers.onFrame(payload);
    } catch (error) {
      stream.abort(error as Error);
      end(error as Error);
    }
  });
  stream.addEventListener('remoteCloseWrite', () => {
    void stream.close().catch((error: unknown) => {
      stream.abort(error as Error);
    });
    end(null);
  });
  stream.addEventListener('close', (event) => {
    end(event.error ?? null);
  });

  const pump = async () => {
    if (pumping) return;
    pumping = true;
    try {
      // one turn later, so that frames sent together share a write
      await Promise.resolve();
      while (queue.length > 0 && !closed) {
        const batch = takeBatch();
        try {
          if (!stream.send(batch.bytes)) await stream.onDrain();
        } catch (error) {
          // some of it may have left
          for (const item of batch.items) item.failed(unreachable(error as Error, true));
          throw error;
        }
        for (const item of batch.items) item.done();
      }
    } catch (error) {
      end(error as Error);
    } finally {
      pumping = false;
    }
  };

  const takeBatch = () => {
    const items = [];
    let bytes = 0;
    while (queue.length > 0) {
      const next = queue[0];
      if (next === undefined || (items.length > 0 && bytes + next.frame.byteLength > MAX_BATCH_BYTES)) break;
      queue.shift();
      items.push(next);
      bytes += next.frame.byteLength;
    }
    queuedBytes -= bytes;
    return {
      items,
      bytes: concatBytes(items.map((item) => item.frame)),
    };
  };

  return {
    send(payload) {
      if (closed) return Promise.reject(unreachable(null, false));
      let frame: Uint8Array;
      try {
        frame = encodeFrame(payload, maxBytes);
      } catch (error) {
        return Promise.reject(toTabmeshError(error));
      }
      if (queuedBytes + frame.byteLength > MAX_QUEUED_BYTES) {
        return Promise.reject(
          new TabmeshError('rate_limited', 'the peer reads too slowly: its send queue is full', {
            retryable: true,
            details: { sent: false },
          }),
        );
      }
      queuedBytes += frame.byteLength;
      return new Promise((resolve, reject) => {
        queue.push({ frame, done: resolve, failed: reject });
        void pump();
      });
    },
    async close() {
      await stream.close();
      end(null);
    },
    abort(error) {
      stream.abort(error);
      end(error);
    },
    get closed() {
      return closed;
    },
  };
}

/** @param sent whether bytes of the message may have left */
function unreachable(cause: Error | null, sent: boolean): TabmeshError {
  return new TabmeshError('peer_unreachable', 'the stream to the peer is closed', {
    retryable: true,
    details: { sent },
    ...(cause === null ? {} : { cause }),
  });
}
