import type { ComponentLogger, MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { yamux } from '@libp2p/yamux';

/** A stream of libp2p's yamux (8.x), as far as its flow control goes; no part of its interface. */
interface YamuxStream {
  readonly state: number;
  /** bytes that the remote may send in all, and those of them that it may send now */
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

interface YamuxMuxer extends StreamMuxer {
  _newStream(...args: unknown[]): YamuxStream;
}

/** `StreamState.Established`: no flag waits to be sent with an update. */
const ESTABLISHED = 3;

/**
 * Yamux that opens the window again when half of it is used up, as the reference implementation does. libp2p's sends an update for each
 * message that it has got: every small call and every small answer would be followed by a frame of its own, encrypted, sent,
 * and decrypted.
 */
export function sparingYamux(): (components: { readonly logger: ComponentLogger }) => StreamMuxerFactory {
  const make = yamux();
  return () => {
    const factory = make() as StreamMuxerFactory;
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection: MessageStream) => {
      const muxer = create(connection) as YamuxMuxer;
      const newStream = muxer._newStream.bind(muxer);
      muxer._newStream = (...args) => sparing(newStream(...args));
      return muxer;
    };
    return factory;
  };
}

function sparing(stream: YamuxStream): YamuxStream {
  const update = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    const used = stream.recvWindow - stream.recvWindowCapacity;
    if (stream.state === ESTABLISHED && used < stream.recvWindow / 2) return;
    update();
  };
  return stream;
}
