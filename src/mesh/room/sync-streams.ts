import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { Membership } from '../membership/membership.ts';
import type { Presence } from '../replica/presence.ts';
import type { OpenSyncSession } from '../replica/sync.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';

/** Replica batches stay far below this; presence is a few KB. */
const MAX_SYNC_FRAME_BYTES = 4 * 1024 * 1024;

/** What may wait to be applied: a few full batches. Who sends faster than we store is cut off and may sync again. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** the first byte of a frame tells what the rest is */
const CHANNELS = { replica: 0, presence: 1 } as const;

export interface SyncStreamsOptions {
  readonly node: Libp2p;
  readonly membership: Membership;
  readonly replica: OpenSyncSession;
  readonly presence: Presence;
  readonly log: Log;
}

/** `/tabmesh/replica/1` with every member: documents and presence, one stream a link, opened by the side that dialled. */
export class SyncStreams {
  readonly #options: SyncStreamsOptions;
  readonly #streams = new Set<FramedStream>();

  constructor(options: SyncStreamsOptions) {
    this.#options = options;
    options.presence.onSend((bytes) => {
      const frame = tagged(CHANNELS.presence, bytes);
      for (const stream of this.#streams) stream.send(frame).catch(ignoreClosed);
    });
    options.membership.subscribe(({ type, link }) => {
      if (type === 'opened' && link.connection.direction === 'outbound') void this.#open(link.connection);
    });
  }

  async start(): Promise<void> {
    const { node, membership } = this.#options;
    await node.handle(
      PROTOCOLS.replica,
      async (stream, connection) => {
        await membership.proven(connection);
        this.#run(stream, connection);
      },
      { maxInboundStreams: 2, runOnLimitedConnection: true },
    );
  }

  async #open(connection: Connection): Promise<void> {
    try {
      this.#run(await connection.newStream(PROTOCOLS.replica, { runOnLimitedConnection: true }), connection);
    } catch (error) {
      // the link is going down again, or the other side is; its next link syncs
      this.#options.log.info('no sync stream', {
        peer: connection.remotePeer.toString(),
        reason: (error as Error).message,
      });
    }
  }

  #run(stream: Stream, connection: Connection): void {
    const { replica, presence, log } = this.#options;
    const peer = connection.remotePeer.toString() as PeerId;
    const failed = (error: unknown) => {
      log.warn('sync ended', { peer, reason: (error as Error).message });
      framed.abort(error as Error);
    };
    let waiting = 0;
    const apply = (body: Uint8Array) => {
      waiting += body.byteLength;
      if (waiting > MAX_WAITING_BYTES) throw new Error('sends faster than this device stores');
      session
        .receive(body)
        .catch(failed)
        .finally(() => {
          waiting -= body.byteLength;
        });
    };
    const framed = frameStream(
      stream,
      {
        onFrame(payload) {
          const body = payload.subarray(1);
          try {
            if (payload[0] === CHANNELS.presence) presence.receive(peer, body);
            else if (payload[0] === CHANNELS.replica) apply(body);
            else throw new Error('unknown channel');
          } catch (error) {
            failed(error);
          }
        },
        onClose: () => {
          this.#streams.delete(framed);
          session.close();
        },
      },
      MAX_SYNC_FRAME_BYTES,
    );
    this.#streams.add(framed);
    const session = replica((bytes) => framed.send(tagged(CHANNELS.replica, bytes)), failed);
    framed.send(tagged(CHANNELS.presence, presence.encode())).catch(ignoreClosed);
  }
}

function tagged(channel: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + bytes.byteLength);
  out[0] = channel;
  out.set(bytes, 1);
  return out;
}

/** The stream's own close handler has told whoever needs to know. */
function ignoreClosed(): void {
  // see above
}
