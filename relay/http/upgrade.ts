import type { IncomingMessage } from 'node:http';
import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../src/lib/log.ts';
import { clientKey } from './client-address.ts';
import type { Door } from './door.ts';
import { checkHost, type OriginRules } from './request-origin.ts';

/** A listener on loopback answers at once or is gone. */
const CONNECT_MS = 5_000;
/** One side has said goodbye: the other gets this long to finish. */
const HALF_OPEN_MS = 10_000;
/** Finds clients that vanished without closing, well before a mobile network forgets an idle flow. */
const KEEP_ALIVE_MS = 30_000;

export interface UpgradeOptions {
  /** path → loopback port of the listener that serves it */
  readonly port: (path: string) => number | undefined;
  readonly door: Door;
  readonly rules: OriginRules;
  readonly trustProxy: boolean;
  readonly log: Log;
}

/** Hands WebSocket upgrades through to listeners on loopback, so that one public port is enough. */
export interface Upgrades {
  /** for the server's `upgrade` event */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** connections open now */
  count(): number;
  /** ends all of them */
  close(): void;
}

/** Makes an {@link Upgrades}. */
export function createUpgrades({ port: portOf, door, rules, trustProxy, log }: UpgradeOptions): Upgrades {
  const open = new Set<() => void>();
  return {
    handle(request, socket, head) {
      // before anything else: an error event without a listener ends the process
      socket.on('error', (error) => {
        log.debug('upgraded connection failed', { error: error.message });
      });
      const address = clientKey(request, trustProxy);
      try {
        checkHost(request.headers, rules);
      } catch {
        // the one thing it throws is the refusal
        refuse(socket, '403 Forbidden');
        return;
      }
      const port = portOf((request.url ?? '/').split('?')[0] ?? '/');
      if (port === undefined) {
        refuse(socket, '404 Not Found');
        return;
      }
      const leave = door.enter(address);
      if (leave === undefined) {
        log.warn('connection refused at the door', { address });
        refuse(socket, '429 Too Many Requests', 'Retry-After: 1\r\n');
        return;
      }
      const end = splice(request, socket, head, port, () => {
        open.delete(end);
        leave();
      });
      open.add(end);
    },
    count: () => open.size,
    close() {
      for (const end of [...open]) end();
    },
  };
}

/** @returns ends both sides at once; `done` is called once, after both have closed */
function splice(request: IncomingMessage, outer: Duplex, head: Buffer, port: number, done: () => void): () => void {
  const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const end = () => {
    outer.destroy();
    inner.destroy();
  };
  if (outer instanceof Socket) tune(outer);
  inner.setTimeout(CONNECT_MS, () => {
    refuse(outer, '504 Gateway Timeout');
    inner.destroy();
  });
  inner.once('connect', () => {
    inner.setTimeout(0);
    tune(inner);
    inner.write(requestHead(request));
    if (head.byteLength > 0) inner.write(head);
    // not `pipeline`: it closes both as soon as one side has ended, and loses what the other still had to say
    outer.pipe(inner);
    inner.pipe(outer);
  });
  inner.once('error', () => {
    if (inner.bytesRead === 0) refuse(outer, '502 Bad Gateway');
    else outer.destroy();
  });

  let timer: NodeJS.Timeout | undefined;
  const onHalf = () => {
    timer ??= setTimeout(end, HALF_OPEN_MS).unref();
  };
  let left = 2;
  const onClose = () => {
    end();
    if (--left > 0) return;
    clearTimeout(timer);
    done();
  };
  for (const side of [outer, inner]) {
    side.once('end', onHalf);
    side.once('close', onClose);
  }
  return end;
}

function tune(socket: Socket): void {
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** The request as it came: its line, and its headers in their own spelling and order. */
function requestHead({ method = 'GET', url = '/', httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i] ?? ''}: ${rawHeaders[i + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function refuse(socket: Duplex, status: string, headers = ''): void {
  if (socket.destroyed || !socket.writable) return;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
