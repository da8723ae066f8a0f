import type { Libp2p } from '@libp2p/interface';

/** What libp2p's connection shows of what carries it; not part of its interface. */
interface Carried {
  readonly maConn?: { readonly writeStatus: string; send(data: unknown): boolean };
}

/**
 * Drops what is sent into a circuit whose other end is closing. Such a connection calls itself open for a round trip more;
 * a stream that is opened in that time makes yamux (8.0) throw in a microtask, outside of every promise, which ends a
 * process and is an uncaught error in a page. What is dropped would have been lost: the connection ends, and whoever waits
 * on it is told then.
 */
export function dropWhatIsTooLate(libp2p: Pick<Libp2p, 'addEventListener'>): void {
  libp2p.addEventListener('connection:open', ({ detail: connection }) => {
    const { maConn } = connection as typeof connection & Carried;
    if (connection.limits === undefined || maConn === undefined) return;
    const send = maConn.send.bind(maConn);
    maConn.send = (data) => {
      const tooLate = maConn.writeStatus === 'closing' || maConn.writeStatus === 'closed';
      return tooLate || send(data);
    };
  });
}
