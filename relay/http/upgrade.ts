import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../src/lib/log.ts';
import { clientKey } from './client-address.ts';
import type { Door } from './door.ts';
import { checkHost, type OriginRules } from './request-origin.ts';

/** Finds clients that vanished without closing, well before a mobile network forgets an idle flow. */
const KEEP_ALIVE_MS = 30_000;

/** Takes a request to become a WebSocket, and its socket. @throws when it cannot; the socket is then as it was */
export type TakeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface UpgradeOptions {
  /** path → the node that serves it */
  readonly taker: (path: string) => TakeUpgrade | undefined;
  readonly door: Door;
  readonly rules: OriginRules;
  readonly trustProxy: boolean;
  readonly log: Log;
}

/** Hands WebSocket upgrades to the nodes of this process, so that one public port is enough. */
export interface Upgrades {
  /** for the server's `upgrade` event */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** connections open now */
  count(): number;
  /** ends all of them */
  close(): void;
}

/** Makes an {@link Upgrades}. */
export function createUpgrades({ taker, door, rules, trustProxy, log }: UpgradeOptions): Upgrades {
  const open = new Set<Duplex>();
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
      const take = taker((request.url ?? '/').split('?')[0] ?? '/');
      if (take === undefined) {
        refuse(socket, '404 Not Found');
        return;
      }
      const leave = door.enter(address);
      if (leave === undefined) {
        log.warn('connection refused at the door', { address });
        refuse(socket, '429 Too Many Requests', 'Retry-After: 1\r\n');
        return;
      }
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        leave();
      });
      if (socket instanceof Socket) tune(socket);
      try {
        take(request, socket, head);
      } catch (error) {
        log.warn('connection not taken', { error: String(error) });
        refuse(socket, '502 Bad Gateway');
      }
    },
    count: () => open.size,
    close() {
      for (const socket of [...open]) socket.destroy();
    },
  };
}

function tune(socket: Socket): void {
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

function refuse(socket: Duplex, status: string, headers = ''): void {
  if (socket.destroyed || !socket.writable) return;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
