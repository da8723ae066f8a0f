import type { Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { joinTopic } from '../rendezvous/client.ts';
import type { Introduction, RendezvousEvent } from '../rendezvous/messages.ts';
import type { FramedStream } from '../rpc/framed-stream.ts';

/** A stream is opened on a connection that stands. */
const LIST_TIMEOUT_MS = 5_000;
/** A peer that is dialled for its sake answers in this time or is away. */
const DIAL_TIMEOUT_MS = 10_000;

export interface PastTopicsOptions {
  readonly node: Libp2p;
  readonly topics: () => readonly string[];
  readonly addresses: () => readonly string[];
  readonly log: Log;
}

/**
 * Keeps this peer listed under the room's earlier rendezvous topics. A device that was away while the secret changed looks
 * there, dials, learns in the join that it is behind, and fetches the new secret. Who may have it is decided there; being
 * listed promises nothing.
 */
export class PastTopics {
  readonly #options: PastTopicsOptions;
  readonly #streams = new Map<PeerId, FramedStream[]>();

  constructor(options: PastTopicsOptions) {
    this.#options = options;
  }

  /** The relay is there: lists this peer anew. */
  async joined(relay: PeerId): Promise<void> {
    const { node, topics, addresses, log } = this.#options;
    this.left(relay);
    const connection = node.getConnections(peerIdFromString(relay))[0];
    if (connection === undefined) return;
    const streams: FramedStream[] = [];
    this.#streams.set(relay, streams);
    for (const topic of topics()) {
      try {
        const stream = await joinTopic(
          connection,
          topic,
          addresses(),
          (event) => {
            this.#introduced(event);
          },
          () => undefined, // the relay's link notices it too, and comes back
          AbortSignal.timeout(LIST_TIMEOUT_MS),
        );
        if (this.#streams.get(relay) !== streams) stream.abort(new Error('no longer wanted'));
        else streams.push(stream);
      } catch (error) {
        log.info('not listed for devices that were away', { relay, reason: (error as Error).message });
      }
    }
  }

  /** The relay is gone, or its list is to be made anew. */
  left(relay: PeerId): void {
    for (const stream of this.#streams.get(relay) ?? []) stream.abort(new Error('no longer wanted'));
    this.#streams.delete(relay);
  }

  stop(): void {
    for (const relay of [...this.#streams.keys()]) this.left(relay);
  }

  /** A headless peer dials no tab, so one that was away is dialled. Tabs that were away dial us. */
  #introduced(event: RendezvousEvent): void {
    const peers: readonly Introduction[] =
      event.type === 'peers' ? event.peers : event.type === 'joined' ? [event.peer] : [];
    for (const { peer, addresses } of peers) {
      if (addresses.length > 0) void this.#dial(peer, addresses);
    }
  }

  async #dial(peer: PeerId, addresses: readonly string[]): Promise<void> {
    const { node, log } = this.#options;
    if (node.getConnections(peerIdFromString(peer)).length > 0) return;
    try {
      await node.dial(
        addresses.map((address) => multiaddr(address)),
        { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) },
      );
    } catch (error) {
      log.info('could not reach a peer that was away', { peer, reason: (error as Error).message });
    }
  }
}
