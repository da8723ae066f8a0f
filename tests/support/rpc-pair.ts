import { systemClock } from '../../src/lib/clock.ts';
import { PeerBudget } from '../../src/mesh/rpc/budget.ts';
import type { FramedStream } from '../../src/mesh/rpc/framed-stream.ts';
import { encodeFrame, FrameDecoder } from '../../src/mesh/rpc/frames.ts';
import type { RpcQuotas } from '../../src/mesh/rpc/quotas.ts';
import { MEMBER_QUOTAS } from '../../src/mesh/rpc/quotas.ts';
import { openSession, type OpenSessionOptions } from '../../src/mesh/rpc/open-session.ts';
import type { RequestHandler, RpcSession } from '../../src/mesh/rpc/session.ts';
import type { PairedStream } from './stream-pair.ts';
import { streamPair } from './stream-pair.ts';

export interface SessionOptions extends Partial<Pick<OpenSessionOptions, 'clock' | 'idleMs' | 'maxBytes'>> {
  readonly quotas?: Partial<RpcQuotas>;
  /** of the stream pair */
  readonly pieceBytes?: number;
  readonly highWater?: number;
}

/** A session on one end of a stream. */
export interface SessionEnd {
  readonly session: RpcSession;
  readonly framed: FramedStream;
  readonly wire: PairedStream;
  readonly budget: PeerBudget;
}

/** Puts a session on an end, as `RpcSessions` does. */
function sessionOn(wire: PairedStream, handler: RequestHandler, options: SessionOptions = {}): SessionEnd {
  const clock = options.clock ?? systemClock;
  const budget = new PeerBudget({ ...MEMBER_QUOTAS, ...options.quotas }, clock);
  const { session, framed } = openSession(wire.stream, { ...options, handler, budget, clock });
  return { session, framed, wire, budget };
}

/** Two sessions, each other's other end. */
export function sessionPair(serve: RequestHandler, options: SessionOptions = {}): [SessionEnd, SessionEnd] {
  const [a, b] = streamPair(options);
  return [sessionOn(a, serve, options), sessionOn(b, serve, options)];
}

/** The other end of a session, spoken by hand: frames go in, frames come out. */
export interface RawEnd {
  readonly wire: PairedStream;
  /** everything that came, decoded */
  readonly heard: Record<string, unknown>[];
  /** sends a frame */
  say(message: unknown): void;
  /** sends bytes as they are */
  sayBytes(bytes: Uint8Array): void;
}

/** A session served by `handler`, and the raw end to try it with. */
export function rawPair(handler: RequestHandler, options: SessionOptions = {}): [RawEnd, SessionEnd] {
  const [a, b] = streamPair(options);
  const heard: Record<string, unknown>[] = [];
  const decoder = new FrameDecoder();
  a.stream.addEventListener('message', (event) => {
    for (const frame of decoder.push(event.data.subarray())) {
      heard.push(JSON.parse(new TextDecoder().decode(frame)) as Record<string, unknown>);
    }
  });
  const sayBytes = (bytes: Uint8Array) => {
    if (a.status === 'open') a.stream.send(bytes);
  };
  const say = (message: unknown) => {
    sayBytes(encodeFrame(typeof message === 'string' ? message : JSON.stringify(message)));
  };
  return [{ wire: a, heard, say, sayBytes }, sessionOn(b, handler, options)];
}

/** Serves until it is cancelled. */
export const never: RequestHandler = (_method, _params, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
