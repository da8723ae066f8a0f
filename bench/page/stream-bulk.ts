import type { Libp2p, Stream } from '@libp2p/interface';
import { sendWholeMessages } from '../../src/mesh/rpc/whole-messages.ts';
import { tuneForBulk } from '../../src/mesh/transfer/bulk-channel.ts';
import { BULK_MESSAGE_BYTES } from '../../src/mesh/transfer/limits.ts';
import type { BenchHandles } from './handles.ts';
import { openStream } from './stream-echo.ts';

/** As libp2p's streams are, and with what the product changes about those that carry much. */
const PROTOCOLS = { plain: '/tabmesh-bench/bulk/1.0.0', tuned: '/tabmesh-bench/tuned-bulk/1.0.0' } as const;

/** A number of bytes. */
const QUESTION_BYTES = 4;

/** Much at once over a libp2p stream of the room's own node, with nothing in it. */
export function createStreamBulk(node: () => Libp2p): Pick<BenchHandles, 'serveStreamBulk' | 'measureStreamBulk'> {
  return {
    async serveStreamBulk() {
      for (const [kind, protocol] of Object.entries(PROTOCOLS)) {
        await node().handle(protocol, (stream) => {
          if (kind === 'tuned') tune(stream);
          stream.addEventListener('message', ({ data }) => {
            void sendMuch(stream, new DataView(data.slice().buffer).getUint32(0));
          });
        });
      }
    },
    async measureStreamBulk(peer, bytes, kind) {
      const startedAt = performance.now();
      const stream = await openStream(node(), peer, PROTOCOLS[kind]);
      if (kind === 'tuned') tune(stream);
      const question = new Uint8Array(QUESTION_BYTES);
      new DataView(question.buffer).setUint32(0, bytes);
      let received = 0;
      await new Promise<void>((resolve) => {
        stream.addEventListener('message', ({ data }) => {
          received += data.byteLength;
          if (received >= bytes) resolve();
        });
        stream.send(question);
      });
      const took = performance.now() - startedAt;
      await stream.close();
      return took;
    },
  };
}

function tune(stream: Stream): void {
  sendWholeMessages(stream);
  tuneForBulk(stream);
}

/** Sends so many bytes as fast as the stream takes them. */
async function sendMuch(stream: Stream, bytes: number): Promise<void> {
  const message = crypto.getRandomValues(new Uint8Array(BULK_MESSAGE_BYTES));
  for (let sent = 0; sent < bytes; sent += message.byteLength) {
    if (!stream.send(message.subarray(0, Math.min(message.byteLength, bytes - sent)))) await stream.onDrain();
  }
  await stream.close();
}
