import type { Libp2p } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { TokenBucket } from '../rpc/token-bucket.ts';
import type { Introduction, JoinTopic, RendezvousEvent } from './messages.ts';
import { decodeJoinTopic, encodeRendezvous, MAX_RENDEZVOUS_MESSAGE_BYTES, MAX_TOPIC_PEERS } from './messages.ts';

/** A room's topic, those of its earlier epochs (`MAX_PAST_TOPICS`), and space for both while the secret changes. */
const MAX_STREAMS_PER_PEER = 20;
/** Each join is told to everybody in the topic. A peer joins once for each stream, in a stay of minutes at least. */
const JOINS = { burst: 2 * MAX_STREAMS_PER_PEER, perSecond: 1 } as const;

export interface RendezvousServerOptions {
  /** whether the peer may be introduced; waits for a key that is on its way */
  readonly admits: (peer: PeerId) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

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
export async function serveRendezvous(
  node: Libp2p,
  { admits, clock, log }: RendezvousServerOptions,
): Promise<{ size(): number }> {
  const topics = new Map<string, Map<PeerId, Entry>>();
  /** of peers that are connected */
  const joins = new Map<PeerId, TokenBucket>();
  const mayJoin = (peer: PeerId) => {
    const bucket = joins.get(peer) ?? new TokenBucket(JOINS.burst, JOINS.perSecond, clock);
    joins.set(peer, bucket);
    return bucket.take(1);
  };
  node.addEventListener('peer:disconnect', ({ detail }) => {
    joins.delete(detail.toString() as PeerId);
  });

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
      const refuse = (error: unknown) => {
        const { message: reason } = toTabmeshError(error);
        log.warn('refused', { peer, protocol: PROTOCOLS.rendezvous, reason });
        framed.abort(error as Error);
      };
      /** the newest join on this stream: one that had to wait may have been overtaken */
      let latest: JoinTopic | null = null;
      const join = async (message: JoinTopic): Promise<void> => {
        latest = message;
        if (!(await admits(peer))) throw new TabmeshError('unauthorized', 'no access key');
        if (framed.closed || latest !== message) return;
        leave();
        const topic = topics.get(message.topic) ?? new Map<PeerId, Entry>();
        if (topic.size >= MAX_TOPIC_PEERS) throw new TabmeshError('rate_limited', 'the topic is full');
        topics.set(message.topic, topic);
        joined = message.topic;
        const others = [...topic.values()].map((entry) => entry.introduction).filter((entry) => entry.peer !== peer);
        const introduction = { peer, addresses: message.addresses };
        topic.set(peer, { introduction, stream: framed });
        send(framed, { type: 'peers', peers: others });
        tell(topic, peer, { type: 'joined', peer: introduction });
      };
      const framed = frameStream(
        stream,
        {
          onFrame(payload) {
            try {
              if (!mayJoin(peer)) throw new TabmeshError('rate_limited', 'joins too often');
              void join(decodeJoinTopic(payload)).catch(refuse);
            } catch (error) {
              refuse(error);
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
