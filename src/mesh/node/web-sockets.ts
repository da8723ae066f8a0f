import type { Transport } from '@libp2p/interface';
import type { WebSocketsComponents, WebSocketsInit } from '@libp2p/websockets';
import { webSockets } from '@libp2p/websockets';
import type { Multiaddr } from '@multiformats/multiaddr';
import { multiaddr } from '@multiformats/multiaddr';
import { TabmeshError } from '../../lib/errors.ts';
import { sendTogether } from './sent-together.ts';
import { hostOf } from './relay-address.ts';

/** How libp2p's transport opens a socket; no part of its interface. */
interface Connecting {
  _connect(address: Multiaddr, options: { readonly signal?: AbortSignal }): Promise<WebSocket>;
}

/**
 * libp2p's WebSocket transport (3.x) with three things mended. It takes addresses with an `http-path`: one relay port serves
 * the relay and, below a path each, the peers of its rooms. A dial that is given up closes its socket: left alone, it stays
 * until the browser gives up after minutes, and since browsers open one socket at a time to a host, none is opened there
 * meanwhile (RFC 6455 §4.1). And a connection that is aborted closes its socket: libp2p does so with a code that browsers
 * refuse.
 */
export function webSocketsWithPath(init: WebSocketsInit = {}): (components: WebSocketsComponents) => Transport {
  return (components) => {
    const transport = webSockets(init)(components) as Transport & Connecting;
    const dialFilter = transport.dialFilter.bind(transport);
    transport.dialFilter = (addresses) => addresses.filter((address) => dialFilter([withoutPath(address)]).length > 0);
    transport._connect = (address, { signal }) => openSocket(socketUrl(address), signal);
    return transport;
  };
}

/** The URL that a WebSocket's multiaddr stands for. @throws `invalid_input` for another kind of address */
export function socketUrl(address: Multiaddr): string {
  const host = hostOf(address);
  const parts = address.getComponents();
  const names = new Set(parts.map(({ name }) => name));
  if (host === null || host.endsWith('/udp')) {
    throw new TabmeshError('invalid_input', `${address.toString()} is not the address of a WebSocket`);
  }
  const path = parts.find(({ name }) => name === 'http-path')?.value ?? '/';
  return `${names.has('tls') || names.has('wss') ? 'wss' : 'ws'}://${host}${path.startsWith('/') ? '' : '/'}${encodeURI(path)}`;
}

/**
 * Opens a WebSocket, and closes it again when that takes too long.
 * @throws `peer_unreachable`; `signal.reason` when it fires
 */
export function openSocket(url: string, signal?: AbortSignal): Promise<WebSocket> {
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const close = socket.close.bind(socket);
  socket.close = (code, reason) => {
    // 1006 says that there was no closing handshake, and nobody may send it (RFC 6455 §7.4.1)
    if (code === ABNORMAL) close();
    else close(code, reason);
  };
  return new Promise((resolve, reject) => {
    const done = () => {
      socket.removeEventListener('open', opened);
      socket.removeEventListener('error', failed);
      signal?.removeEventListener('abort', givenUp);
    };
    const opened = () => {
      done();
      resolve(sendTogether(socket));
    };
    const failed = () => {
      done();
      reject(new TabmeshError('peer_unreachable', `could not connect to ${url}`, { retryable: true }));
    };
    const givenUp = () => {
      done();
      close();
      reject(signal?.reason as Error);
    };
    socket.addEventListener('open', opened);
    socket.addEventListener('error', failed);
    signal?.addEventListener('abort', givenUp);
  });
}

/** How libp2p ends a socket that it aborts. */
const ABNORMAL = 1006;

function withoutPath(address: Multiaddr): Multiaddr {
  return multiaddr(address.getComponents().filter((component) => component.name !== 'http-path'));
}
