import type { Libp2p } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import type { Introduction, RendezvousEvent } from './messages.ts';
import { decodeJoinTopic, encodeRendezvous, MAX_RENDEZVOUS_MESSAGE_BYTES, MAX_TOPIC_PEERS } from './messages.ts';

/** A room's topic, those of its earlier epochs (`MAX_PAST_TOPICS`), and space for both while the secret changes. */
const MAX_STREAMS_PER_PEER = 20;

interface Entry {
  readonly introduction: Introduction;
  readonly stream: FramedStream;
}

/**
 * Introduces peers of a topic to each other, as a relay does for rooms that it need not be a member of: it sees opaque
 * topics and peer ids, nothing else. A peer is listed while its stream is open; nothing is stored.
 *
 * Joining is atomic: of two peers exactly one, the later, finds the other in its list, and that one dials.
 */
export async function serveRendezvous(node: Libp2p, log: Log): Promise<{ size(): number }> {
  const topics = new Map<string, Map<PeerId, Entry>>();

  await node.handle(
    PROTOCOLS.rendezvous,
    (stream, connection) => {
      const peer = connection.remotePeer.toString() as PeerId;
      let joined: string | null = null;

      const leave = () => {
        if (joined === null) return;
        const topic = topics.get(joined);
        // a newer stream of the same peer may have taken its place
        if (topic?.get(peer)?.stream === framed) {
          topic.delete(peer);
          tell(topic, peer, { type: 'left', peer });
          if (topic.size === 0) topics.delete(joined);
        }
        joined = null;
      };
      const framed = frameStream(
        stream,
        {
          onFrame(payload) {
            try {
              const message = decodeJoinTopic(payload);
              leave();
              const topic = topics.get(message.topic) ?? new Map<PeerId, Entry>();
              if (topic.size >= MAX_TOPIC_PEERS) {
                framed.abort(new Error('the topic is full'));
                log.warn('refused', { peer, protocol: PROTOCOLS.rendezvous, reason: 'topic full' });
                return;
              }
              topics.set(message.topic, topic);
              joined = message.topic;
              const others = [...topic.values()]
                .map((entry) => entry.introduction)
                .filter((entry) => entry.peer !== peer);
              const introduction = { peer, addresses: message.addresses };
              topic.set(peer, { introduction, stream: framed });
              send(framed, { type: 'peers', peers: others });
              tell(topic, peer, { type: 'joined', peer: introduction });
            } catch (error) {
              log.warn('refused', { peer, protocol: PROTOCOLS.rendezvous, reason: (error as Error).message });
              framed.abort(error as Error);
            }
          },
          onClose: leave,
        },
        MAX_RENDEZVOUS_MESSAGE_BYTES,
      );
    },
    { maxInboundStreams: MAX_STREAMS_PER_PEER },
  );

  const tell = (topic: Map<PeerId, Entry>, except: PeerId, event: RendezvousEvent) => {
    for (const [peer, entry] of topic) if (peer !== except) send(entry.stream, event);
  };
  const send = (stream: FramedStream, event: RendezvousEvent) => {
    stream.send(encodeRendezvous(event)).catch((error: unknown) => {
      // a peer that does not read is dropped; it joins again when it wants to know
      stream.abort(error as Error);
    });
  };

  return { size: () => topics.size };
}
