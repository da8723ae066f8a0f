import type { Libp2p, Stream } from '@libp2p/interface';
import { measure } from '../mesh/measure.ts';
import { createFifoEcho } from './fifo-echo.ts';
import type { BenchHandles } from './handles.ts';

const PROTOCOL = '/tabmesh-bench/echo/1.0.0';

/** Echo over a libp2p stream of the room's own node, to a member over the link that calls take. */
export function createStreamEcho(node: () => Libp2p): Pick<BenchHandles, 'serveStreamEcho' | 'measureStream'> {
  return {
    async serveStreamEcho() {
      await node().handle(PROTOCOL, (stream) => {
        stream.addEventListener('message', ({ data }) => {
          stream.send(data);
        });
      });
    },
    async measureStream(peer, payload, length) {
      const stream = await openStream(node(), peer, PROTOCOL);
      const bytes = new TextEncoder().encode(payload);
      const echo = createFifoEcho(() => {
        stream.send(bytes);
      });
      let received = 0;
      stream.addEventListener('message', ({ data }) => {
        // a stream is bytes: several answers may come in one event
        for (received += data.byteLength; received >= bytes.byteLength; received -= bytes.byteLength) echo.answered();
      });
      try {
        return await measure(() => echo.call(), length);
      } finally {
        await stream.close();
      }
    },
  };
}

/** Opens a stream to a peer over the direct link. */
export async function openStream(node: Libp2p, peer: string, protocol: string): Promise<Stream> {
  const connection = node
    .getConnections()
    .find((each) => each.remotePeer.toString() === peer && each.limits === undefined);
  if (connection === undefined) throw new Error(`no direct connection to ${peer}`);
  return connection.newStream(protocol);
}
