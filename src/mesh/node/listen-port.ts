import type { TransportManager } from '@libp2p/interface-internal';
import { TabmeshError } from '../../lib/errors.ts';

/** A libp2p service that knows the TCP port its node really listens on, whatever addresses the node announces. */
export interface ListenPort {
  /** @throws `internal` before the node has started */
  port(): number;
}

/** Makes a {@link ListenPort}. */
export function listenPort(): (components: { readonly transportManager: TransportManager }) => ListenPort {
  return ({ transportManager }) => ({
    port() {
      for (const listener of transportManager.getListeners()) {
        for (const address of listener.getAddrs()) {
          const tcp = address.getComponents().find((component) => component.name === 'tcp');
          if (tcp?.value !== undefined) return Number(tcp.value);
        }
      }
      throw new TabmeshError('internal', 'the node does not listen on TCP');
    },
  });
}
