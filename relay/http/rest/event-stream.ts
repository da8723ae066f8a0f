import type { FastifyReply, FastifyRequest } from 'fastify';
import { runAfter, type Clock } from '../../../src/lib/clock.ts';

/** Proxies end what is silent for a minute. */
const HEARTBEAT_MS = 15_000;

/** Server-sent events (https://html.spec.whatwg.org/#server-sent-events) as the answer of one request. */
export interface EventStream {
  /** Left out while the client reads too slowly: the next one says more. */
  progress(progress: unknown): void;
  /** Sends the last event and ends the answer. */
  end(event: 'result' | 'error', data: unknown): void;
}

/** Whether the client wants the answer as events. */
export function wantsEvents({ headers }: FastifyRequest): boolean {
  return /(^|[\s,])text\/event-stream\b/i.test(headers.accept ?? '');
}

/** Begins an {@link EventStream}. The status is 200 from here on; a failure is the last event. */
export function beginEvents(reply: FastifyReply, clock: Clock): EventStream {
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx collects answers otherwise
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const send = (event: string, data: unknown) => raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let stop: () => void = () => undefined;
  const beat = () => {
    stop = runAfter(clock, HEARTBEAT_MS, () => {
      if (!raw.writableNeedDrain) raw.write(':\n\n');
      beat();
    });
  };
  beat();
  raw.once('close', () => {
    stop();
  });
  return {
    progress(progress) {
      if (!raw.writableEnded && !raw.writableNeedDrain) send('progress', progress);
    },
    end(event, data) {
      stop();
      if (raw.destroyed || raw.writableEnded) return;
      send(event, data);
      raw.end();
    },
  };
}
