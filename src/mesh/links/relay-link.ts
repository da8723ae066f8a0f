import type { Libp2p } from '@libp2p/interface';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { joinTopic } from '../rendezvous/client.ts';
import type { RendezvousEvent } from '../rendezvous/messages.ts';
import { backoffMs } from './backoff.ts';

/** A relay that has not answered by then is tried again later. */
const CONNECT_TIMEOUT_MS = 10_000;

export type RelayLinkState =
  | { readonly status: 'connecting' }
  | { readonly status: 'joined' }
  | { readonly status: 'offline'; readonly message: string; readonly retryAt: number };

export interface RelayLinkOptions {
  readonly node: Libp2p;
  /** addresses of one relay, best first; never empty */
  readonly ways: readonly [RelayAddress, ...RelayAddress[]];
  readonly topic: string;
  /**
   * Ways to reach us without the relay's circuit. A peer that has none is listed before its reservation stands: whoever
   * comes in that moment fails once and tries again, and everybody else is found a round trip sooner.
   */
  readonly addresses: () => readonly string[];
  readonly onEvent: (event: RendezvousEvent) => void;
  readonly onState: (state: RelayLinkState) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps this peer connected to one relay, reachable through it and listed in the room's topic, for as long as it runs. */
export class RelayLink {
  readonly #options: RelayLinkOptions;
  readonly #stop = new AbortController();
  #wake: AbortController | null = null;
  #done: Promise<void> = Promise.resolve();

  constructor(options: RelayLinkOptions) {
    this.#options = options;
  }

  get relay(): RelayAddress {
    return this.#options.ways[0];
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Cuts a backoff short: the network is back, or a person asked. */
  retryNow(): void {
    this.#wake?.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, log, onState } = this.#options;
    const { relay } = this;
    const stopped = () => this.#stop.signal.aborted;
    let failures = 0;
    while (!stopped()) {
      let message: string;
      let reason: string;
      try {
        onState({ status: 'connecting' });
        await this.#session(() => {
          failures = 0;
        });
        message = reason = 'the relay went away';
      } catch (error) {
        reason = toTabmeshError(error).message;
        // what libp2p and the browser say ("[object Event]") is for the log
        message = error instanceof TabmeshError ? reason : 'the relay cannot be reached';
      }
      if (stopped()) return;
      failures++;
      const wait = backoffMs(failures);
      log.info('relay offline', { relay: relay.host, reason, retryInMs: wait });
      onState({ status: 'offline', message: `${relay.host}: ${message}`, retryAt: clock.now() + wait });
      this.#wake = new AbortController();
      // woken early or not: the next try is due
      await clock.sleep(wait, this.#wake.signal).catch(() => undefined);
      this.#wake = null;
    }
  }

  /** One stay at the relay; resolves when it is over. */
  async #session(joined: () => void): Promise<void> {
    const { node, ways, topic, addresses, onEvent, onState } = this.#options;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    const connection = await node.dial(
      ways.map(({ address }) => address),
      { signal },
    );
    const over = Promise.withResolvers<undefined>();
    const stream = await joinTopic(
      connection,
      topic,
      addresses(),
      onEvent,
      () => {
        over.resolve(undefined);
      },
      signal,
    );
    const leave = () => {
      stream.close().catch((error: unknown) => {
        stream.abort(error as Error);
      });
    };
    this.#stop.signal.addEventListener('abort', leave, { once: true });
    try {
      joined();
      onState({ status: 'joined' });
      await over.promise;
    } finally {
      this.#stop.signal.removeEventListener('abort', leave);
    }
  }
}
