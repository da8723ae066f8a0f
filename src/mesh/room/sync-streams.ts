import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { Membership } from '../membership/membership.ts';
import type { Presence } from '../replica/presence.ts';
import type { OpenSyncSession } from '../replica/sync.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';
import { frameStream } from '../rpc/framed-stream.ts';
import { SyncBackoff } from './sync-backoff.ts';

/** A batch of entries, or presence, and the channel's byte: both stay below. */
const MAX_SYNC_FRAME_BYTES = 1024 * 1024;

/** What may wait to be applied before nothing more is read: a few full batches. */
const PAUSE_ABOVE_BYTES = 1024 * 1024;

/** A stream that delivers this much all the same is reset. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** A peer that reads so slowly is told of its neighbours' presence with the next renewal. */
const MAX_QUEUED_BEFORE_PRESENCE = 256 * 1024;

/** the first byte of a frame tells what the rest is */
const CHANNELS = { replica: 0, presence: 1 } as const;

export interface SyncStreamsOptions {
  readonly node: Pick<Libp2p, 'handle'>;
  readonly membership: Pick<Membership, 'proven' | 'subscribe'>;
  readonly replica: OpenSyncSession;
  readonly presence: Pick<Presence, 'encode' | 'onSend' | 'receive'>;
  readonly clock?: Clock;
  readonly log: Log;
}

/**
 * `/tabmesh/replica/2` with every member: documents and presence, one stream a link, opened by the side that dialled. Who
 * breaks the protocol has its stream reset, and none opened or taken for a while; nobody else notices.
 */
export class SyncStreams {
  readonly #options: SyncStreamsOptions;
  readonly #clock: Clock;
  readonly #backoff: SyncBackoff;
  readonly #streams = new Set<FramedStream>();

  constructor(options: SyncStreamsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new SyncBackoff(this.#clock);
    options.presence.onSend((bytes) => {
      const frame = tagged(CHANNELS.presence, bytes);
      for (const stream of this.#streams) {
        if (stream.queuedBytes < MAX_QUEUED_BEFORE_PRESENCE) stream.send(frame).catch(ignoreClosed);
      }
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
        const { device } = await membership.proven(connection);
        if (this.#backoff.remaining(peerOf(connection)) > 0) {
          stream.abort(
            new TabmeshError('rate_limited', 'the last sync with this peer has failed: too early for the next'),
          );
        } else this.#run(stream, connection, device);
      },
      { maxInboundStreams: 2, runOnLimitedConnection: true },
    );
  }

  async #open(connection: Connection): Promise<void> {
    try {
      const { device } = await this.#options.membership.proven(connection);
      await this.#wait(connection, this.#backoff.remaining(peerOf(connection)));
      if (connection.status !== 'open') return;
      this.#run(await connection.newStream(PROTOCOLS.replica, { runOnLimitedConnection: true }), connection, device);
    } catch (error) {
      // the link is going down again, or the other side is of another version; its next link syncs
      this.#options.log.info('no sync stream', { peer: peerOf(connection), reason: (error as Error).message });
    }
  }

  #run(stream: Stream, connection: Connection, device: DeviceId): void {
    const { replica, presence, log } = this.#options;
    const peer = peerOf(connection);
    const openedAt = this.#clock.now();
    let ended = false;
    let waiting = 0;

    const failed = (thrown: unknown) => {
      if (ended) return;
      const error = toTabmeshError(thrown);
      log.warn('sync ended', { peer, code: error.code, reason: error.message, ...error.details });
      this.#backoff.failed(peer, this.#clock.now() - openedAt);
      framed.abort(error);
    };
    const apply = (body: Uint8Array) => {
      waiting += body.byteLength;
      if (waiting > MAX_WAITING_BYTES) throw broken('sends faster than this device stores');
      if (waiting > PAUSE_ABOVE_BYTES) stream.pause();
      session
        .receive(body)
        .catch(failed)
        .finally(() => {
          waiting -= body.byteLength;
          if (waiting <= PAUSE_ABOVE_BYTES && !ended) stream.resume();
        });
    };
    const framed = frameStream(
      stream,
      {
        onFrame(payload) {
          if (ended) return;
          const body = payload.subarray(1);
          try {
            if (payload[0] === CHANNELS.presence) presence.receive(peer, body);
            else if (payload[0] === CHANNELS.replica) apply(body);
            else throw broken('a frame of no known channel');
          } catch (error) {
            failed(error);
          }
        },
        onBroken: failed,
        onClose: () => {
          ended = true;
          this.#streams.delete(framed);
          session.close();
          if (connection.direction === 'outbound' && connection.status === 'open') {
            if (this.#backoff.remaining(peer) === 0) this.#backoff.failed(peer, this.#clock.now() - openedAt);
            void this.#open(connection);
          }
        },
      },
      MAX_SYNC_FRAME_BYTES,
    );
    this.#streams.add(framed);
    const session = replica((bytes) => framed.send(tagged(CHANNELS.replica, bytes)), failed, device);
    framed.send(tagged(CHANNELS.presence, presence.encode())).catch(ignoreClosed);
  }

  /** Lets time pass, unless the connection closes first. */
  async #wait(connection: Connection, ms: number): Promise<void> {
    if (ms === 0) return;
    const closed = new AbortController();
    const onClose = () => {
      closed.abort(new TabmeshError('peer_unreachable', 'the connection closed'));
    };
    connection.addEventListener('close', onClose);
    try {
      await this.#clock.sleep(ms, closed.signal);
    } finally {
      connection.removeEventListener('close', onClose);
    }
  }
}

const peerOf = (connection: Connection) => connection.remotePeer.toString() as PeerId;

const broken = (what: string) => new TabmeshError('protocol_error', `replica sync: ${what}`);

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
