import type { Connection, PeerStore, Stream, StreamMiddleware } from '@libp2p/interface';
import type { Registrar } from '@libp2p/interface-internal';
import type { Identify } from '@libp2p/identify';
import { identify } from '@libp2p/identify';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { sayLastWord } from '../rpc/last-word.ts';
import { refusal } from '../rpc/tokens.ts';
import { isPublicProtocol, publicOnly } from './protocols.ts';

/**
 * Puts the membership check before every stream, in and out, of every protocol that is not public: default deny.
 *
 * `libp2p.use()` cannot do it: in libp2p 3.3 the upgrader appends each inbound stream's handler to the very array that was
 * registered, so the second stream would run the first one's handler again, and a protocol nobody named would be open. So
 * the registrar's one lookup is replaced by one that answers a fresh list for any protocol.
 * @param admit resolves when the connection is proven, rejects when it is not or will not be
 */
export function installGuard(
  registrar: Registrar,
  admit: (connection: Connection, protocol: string, direction: 'inbound' | 'outbound') => Promise<void>,
): void {
  const guard: StreamMiddleware = async (stream: Stream, connection: Connection, next) => {
    try {
      await admit(connection, stream.protocol, stream.direction);
    } catch (error) {
      // tools alone have words for it; the streams of other protocols are reset
      if (stream.protocol === PROTOCOLS.mcp && stream.direction === 'inbound') {
        sayLastWord(stream, refusal('unauthorized', 'this connection has not proven membership of the room'));
      }
      throw error;
    }
    next(stream, connection);
  };
  registrar.getMiddleware = (protocol) =>
    // direction is only known on the stream, so a protocol that is public in one direction is looked at again there
    isPublicProtocol(protocol, 'inbound') ? [] : [guard];
}

/** Identify that announces only what strangers may speak. */
export function publicIdentify(): (components: Parameters<ReturnType<typeof identify>>[0]) => Identify {
  return (components) => {
    const peerStore = publicSelf(components.peerStore, components.peerId);
    // libp2p's components are a proxy themselves and cannot be spread
    return identify()(
      new Proxy(components, {
        get: (target, property) => (property === 'peerStore' ? peerStore : (Reflect.get(target, property) as unknown)),
      }),
    );
  };
}

function publicSelf(peerStore: PeerStore, self: { equals(other: unknown): boolean }): PeerStore {
  return new Proxy(peerStore, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'get') return value.bind(target) as unknown;
      return async (...args: Parameters<PeerStore['get']>) => {
        const peer = await target.get(...args);
        return self.equals(peer.id) ? { ...peer, protocols: publicOnly(peer.protocols) } : peer;
      };
    },
  });
}
