import type { Stream } from '@libp2p/interface';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { FramePayload } from './frames.ts';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './frames.ts';
import { sendWholeMessages } from './whole-messages.ts';

/** How much may wait for a slow reader before senders wait too: a few large answers, not unbounded memory. */
const MAX_QUEUED_BYTES = 4 * MAX_FRAME_BYTES;

/** When this much waits for a slow reader, we take nothing more from it until half of it has left. */
const PAUSE_ABOVE_BYTES = MAX_FRAME_BYTES;

/** What only tells how things go is left out when this much waits: it would be old when it came. */
const MAX_QUEUED_BEFORE_NEWS = 256 * 1024;

/** A 64 KiB batch fills a data channel message or two; beyond that joining frames saves nothing. */
const MAX_BATCH_BYTES = 64 * 1024;

/** A libp2p stream that carries whole frames. */
export interface FramedStream {
  /**
   * Queues one frame; text is sent as UTF-8. Frames queued in the same turn leave in one write. Waits while the reader is
   * slow, and resolves when the stream has taken it.
   * @throws `payload_too_large`; `peer_unreachable` when the stream is closed, with `details.sent` false when certainly
   *   nothing of it has left
   */
  send(payload: FramePayload): Promise<void>;
  /** Sends what may get lost: it is left out when the reader is slow. @returns whether it was queued */
  sendNews(text: string): boolean;
  /** closes the writing side after what is queued has left */
  close(): Promise<void>;
  abort(error: Error): void;
  /** Sends a last word before all that is queued, when the reader takes it at once, and aborts. */
  refuse(lastWord: string, error: Error): void;
  /** bytes that have come in */
  readonly receivedBytes: number;
  /** bytes that wait to leave */
  readonly queuedBytes: number;
  readonly closed: boolean;
}

export interface FramedStreamHandlers {
  onFrame(payload: Uint8Array): void;
  /** called once; `error` is null after an orderly end */
  onClose(error: Error | null): void;
  /** the bytes of an unfinished frame grew, or shrank, by so many. Throws to end the stream */
  onBuffered?(change: number): void;
  /** what came is no frame, or a handler threw. The stream is aborted when absent */
  onBroken?(error: Error): void;
}

interface Queued {
  readonly frame: Uint8Array;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * Wraps a stream. Backpressure is the stream's own: when `send()` answers false, the next write waits for drain; and a peer
 * that does not read what we answer is not read either.
 * @param stream an open libp2p stream whose protocol is negotiated
 */
export function frameStream(stream: Stream, handlers: FramedStreamHandlers, maxBytes = MAX_FRAME_BYTES): FramedStream {
  sendWholeMessages(stream);
  const decoder = new FrameDecoder(maxBytes);
  let queue: Queued[] = [];
  /** those that wait for room in the queue */
  let waiting: (() => void)[] = [];
  let queuedBytes = 0;
  let receivedBytes = 0;
  let bufferedBytes = 0;
  let pumping = false;
  let paused = false;
  let closed = false;

  // a function, because a handler that is called may change it
  const isClosed = () => closed;
  const end = (error: Error | null) => {
    if (closed) return;
    closed = true;
    for (const item of queue) item.failed(unreachable(error, false));
    queue = [];
    queuedBytes = 0;
    wakeWaiting();
    if (bufferedBytes > 0) handlers.onBuffered?.(-bufferedBytes);
    bufferedBytes = 0;
    handlers.onClose(error);
  };
  const broken = (error: Error) => {
    if (handlers.onBroken === undefined) abort(error);
    else handlers.onBroken(error);
  };
  const abort = (error: Error) => {
    stream.abort(error);
    end(error);
  };

  stream.addEventListener('message', (event) => {
    if (closed) return;
    try {
      receivedBytes += event.data.byteLength;
      for (const payload of decoder.push(event.data.subarray())) {
        handlers.onFrame(payload);
        // a frame may end the stream: nothing of what comes after it counts
        if (isClosed()) return;
      }
      const change = decoder.heldBytes - bufferedBytes;
      if (change === 0) return;
      bufferedBytes += change;
      handlers.onBuffered?.(change);
    } catch (error) {
      broken(error as Error);
    }
  });
  stream.addEventListener('remoteCloseWrite', () => {
    try {
      decoder.end();
    } catch (error) {
      broken(error as Error);
      return;
    }
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
        wakeWaiting();
        readAgain();
      }
    } catch (error) {
      end(error as Error);
    } finally {
      pumping = false;
    }
  };

  const takeBatch = () => {
    let count = 0;
    let bytes = 0;
    for (const { frame } of queue) {
      if (count > 0 && bytes + frame.byteLength > MAX_BATCH_BYTES) break;
      count++;
      bytes += frame.byteLength;
    }
    const items = queue.splice(0, count);
    queuedBytes -= bytes;
    return { items, bytes: concatBytes(items.map((item) => item.frame)) };
  };

  const enqueue = (frame: Uint8Array): Promise<void> => {
    queuedBytes += frame.byteLength;
    if (!paused && queuedBytes > PAUSE_ABOVE_BYTES && stream.readStatus === 'readable') {
      paused = true;
      stream.pause();
    }
    return new Promise((resolve, reject) => {
      queue.push({ frame, done: resolve, failed: reject });
      void pump();
    });
  };

  const wakeWaiting = () => {
    if (waiting.length === 0 || (!closed && queuedBytes > MAX_QUEUED_BYTES / 2)) return;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  const readAgain = () => {
    if (!paused || closed || queuedBytes > PAUSE_ABOVE_BYTES / 2) return;
    paused = false;
    if (stream.readStatus === 'paused') stream.resume();
  };

  /** the slow way of `send`: the queue is full */
  const sendWhenRoom = async (frame: Uint8Array): Promise<void> => {
    while (!closed && queuedBytes + frame.byteLength > MAX_QUEUED_BYTES) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    if (closed) throw unreachable(null, false);
    await enqueue(frame);
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
      return queuedBytes + frame.byteLength > MAX_QUEUED_BYTES ? sendWhenRoom(frame) : enqueue(frame);
    },
    sendNews(text) {
      if (closed || queuedBytes > MAX_QUEUED_BEFORE_NEWS) return false;
      // lost with the stream, as it may be
      enqueue(encodeFrame(text, maxBytes)).catch(() => undefined);
      return true;
    },
    async close() {
      await stream.close();
      end(null);
    },
    abort,
    refuse(lastWord, error) {
      if (closed) return;
      try {
        if (!stream.writableNeedsDrain) stream.send(encodeFrame(lastWord));
      } catch {
        // it does not even take that: the abort says the rest
      }
      abort(error);
    },
    get receivedBytes() {
      return receivedBytes;
    },
    get queuedBytes() {
      return queuedBytes;
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
