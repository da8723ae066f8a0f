import type { Connection } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import type { RendezvousEvent } from './messages.ts';
import { decodeRendezvousEvent, encodeRendezvous, MAX_RENDEZVOUS_MESSAGE_BYTES } from './messages.ts';

/**
 * Joins a topic at a relay and stays joined while the stream lives.
 * @param connection to the relay
 * @param topic 20 bytes in base32, derived from the room's secret
 * @param addresses ways to dial us besides the relay's circuit
 * @param onEvent `peers` first, then changes
 * @param onClose the stream ended: the relay is gone or has dropped us
 */
export async function joinTopic(
  connection: Connection,
  topic: string,
  addresses: readonly string[],
  onEvent: (event: RendezvousEvent) => void,
  onClose: () => void,
  signal: AbortSignal,
): Promise<FramedStream> {
  const stream = await connection.newStream(PROTOCOLS.rendezvous, { signal });
  const framed = frameStream(
    stream,
    {
      onFrame(payload) {
        try {
          onEvent(decodeRendezvousEvent(payload));
        } catch (error) {
          framed.abort(error as Error);
        }
      },
      onClose,
    },
    MAX_RENDEZVOUS_MESSAGE_BYTES,
  );
  await framed.send(encodeRendezvous({ type: 'join', topic, addresses }));
  return framed;
}
