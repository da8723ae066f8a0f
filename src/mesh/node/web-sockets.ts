import type { Transport } from '@libp2p/interface';
import type { WebSocketsComponents, WebSocketsInit } from '@libp2p/websockets';
import { webSockets } from '@libp2p/websockets';
import type { Multiaddr } from '@multiformats/multiaddr';
import { multiaddr } from '@multiformats/multiaddr';

/**
 * libp2p's WebSocket transport, also for addresses with an `http-path`: one relay port serves the relay and, below a
 * path each, the peers of its rooms. The transport dials such URLs well, only its address matcher (3.x) does not know them.
 */
export function webSocketsWithPath(init: WebSocketsInit = {}): (components: WebSocketsComponents) => Transport {
  return (components) => {
    const transport = webSockets(init)(components);
    const dialFilter = transport.dialFilter.bind(transport);
    transport.dialFilter = (addresses) => addresses.filter((address) => dialFilter([withoutPath(address)]).length > 0);
    return transport;
  };
}

function withoutPath(address: Multiaddr): Multiaddr {
  return multiaddr(address.getComponents().filter((component) => component.name !== 'http-path'));
}
