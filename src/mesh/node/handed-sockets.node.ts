import type { Listener, Transport } from '@libp2p/interface';
import type { WebSocketsComponents } from '@libp2p/websockets';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TabmeshError } from '../../lib/errors.ts';
import { sendTogether } from './sent-together.ts';

/** A WebSocket of the package `ws`, on the server's side. */
interface ServerSocket {
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** libp2p's WebSocket listener (10.x), as far as it takes connections; no part of its interface. */
interface WebSocketListener extends Listener {
  /** closed with the listener */
  readonly sockets: Set<Duplex>;
  readonly wsServer: {
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (opened: ServerSocket) => void): void;
  };
  onWsServerConnection(opened: ServerSocket, request: IncomingMessage): void;
}

/** How libp2p ends a socket that it aborts; no code that may be sent, so that `ws` refuses it and keeps the socket open. */
const ABNORMAL = 1006;

/**
 * Lets a node's WebSocket listener serve connections that another server of this process has accepted: the relay has one port
 * and several nodes behind it. Passed on over loopback, each connection would be three sockets, and each message would be
 * written and read twice.
 */
export class HandedSockets {
  #listener: WebSocketListener | undefined;

  /** The same transport; the connections of its listener are those that are {@link take}n, and its own. */
  transport(make: (components: WebSocketsComponents) => Transport): (components: WebSocketsComponents) => Transport {
    return (components) => {
      const transport = make(components);
      const createListener = transport.createListener.bind(transport);
      transport.createListener = (options) => {
        const listener = createListener(options) as WebSocketListener;
        this.#listener = listener;
        return listener;
      };
      return transport;
    };
  }

  /**
   * Serves a request to become a WebSocket.
   * @throws `no_place` when the node does not listen
   */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const listener = this.#listener;
    if (listener === undefined || listener.getAddrs().length === 0) {
      throw new TabmeshError('no_place', 'the node does not take connections now', { retryable: true });
    }
    listener.sockets.add(socket);
    socket.once('close', () => listener.sockets.delete(socket));
    listener.wsServer.handleUpgrade(request, socket, head, (opened) => {
      const close = opened.close.bind(opened);
      opened.close = (code, reason) => {
        if (code === ABNORMAL) opened.terminate();
        else close(code, reason);
      };
      listener.onWsServerConnection(sendTogether(opened), request);
    });
  }
}
