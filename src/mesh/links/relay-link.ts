import type { Connection, Libp2p } from '@libp2p/interface';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { AccessGrant } from '../access/present.ts';
import { presentAccess } from '../access/present.ts';
import { disconnect } from '../membership/disconnect.ts';
import type { RelayAddress } from '../node/relay-address.ts';
import { joinTopic } from '../rendezvous/client.ts';
import type { RendezvousEvent } from '../rendezvous/messages.ts';
import { backoffMs } from './backoff.ts';
import type { RelayUpkeepOptions } from './relay-upkeep.ts';
import { RelayUpkeep } from './relay-upkeep.ts';

/** A relay that has not answered by then is tried again later. */
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * A relay that wants another key will want it in a minute, too. It is asked again all the same, in case that its owner has
 * changed his mind, and at once when a person says so.
 */
const REFUSED_RETRY_MS = 5 * 60 * 1000;
/** TURN credentials are renewed at this part of their life, so that one try that fails is not the last. */
const RENEW_AT = 0.6;
/** A relay that does not renew credentials now is asked again after this. */
const RENEW_RETRY_MS = 60_000;

/** How this peer gets into relays, and what it gets there. */
export interface RelayAccess {
  /** the access key that this peer knows, null when it knows none */
  key(relay: PeerId): Uint8Array | null;
  /** Those that members say, of whom some may be wrong: each is tried before the relay is given up for a while. */
  others?(relay: PeerId): readonly Uint8Array[];
  /** the relay lets this peer in, and hands this out */
  granted(relay: PeerId, grant: AccessGrant): void;
}

export type RelayLinkState =
  | { readonly status: 'connecting' }
  | { readonly status: 'joined' }
  | { readonly status: 'offline'; readonly message: string; readonly refused: boolean; readonly retryAt: number };

/** Addresses of one relay, best first. */
export type RelayWays = readonly [RelayAddress, ...RelayAddress[]];

export interface RelayLinkOptions extends Pick<RelayUpkeepOptions, 'reserve' | 'ping'> {
  readonly node: Libp2p;
  readonly ways: RelayWays;
  readonly topic: string;
  readonly access: RelayAccess;
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
  #ways: RelayWays;
  #upkeep: RelayUpkeep | null = null;
  #wake: AbortController | null = null;
  /** keys that the relay did not take, as text; none once it was given up for a while */
  readonly #refused = new Set<string>();
  #presented = '';
  #hasMoreKeys = false;
  #done: Promise<void> | null = null;

  constructor(options: RelayLinkOptions) {
    this.#options = options;
    this.#ways = options.ways;
  }

  get relay(): RelayAddress {
    return this.#ways[0];
  }

  /** Takes over the relay's addresses as they are known now, from the next try on. */
  use(ways: RelayWays): void {
    this.#ways = ways;
  }

  /** Begins. A link that runs already, or was stopped, is left as it is: two that dial the same relay end each other. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Cuts a backoff short, or sees whether the relay is still there: the network has changed, or a person asked. */
  retryNow(): void {
    this.#wake?.abort();
    this.#upkeep?.checkNow();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, log, onState } = this.#options;
    const stopped = () => this.#stop.signal.aborted;
    let failures = 0;
    while (!stopped()) {
      let message: string;
      let reason: string;
      let refused = false;
      try {
        onState({ status: 'connecting' });
        await this.#session(() => {
          failures = 0;
        });
        message = reason = 'the relay went away';
      } catch (error) {
        reason = toTabmeshError(error).message;
        // what libp2p and the browser say ("[object Event]") is for the log
        const told = error instanceof TabmeshError && error.code !== 'peer_unreachable';
        message = told ? reason : 'the relay cannot be reached';
        refused = told && error.code === 'unauthorized';
      }
      if (stopped()) return;
      if (refused && this.#hasMoreKeys) {
        this.#refused.add(this.#presented);
        continue;
      }
      this.#refused.clear();
      failures++;
      const wait = refused ? REFUSED_RETRY_MS : backoffMs(failures);
      log.info('relay offline', { relay: this.relay.host, reason, retryInMs: wait });
      onState({ status: 'offline', message, refused, retryAt: clock.now() + wait });
      this.#wake = new AbortController();
      // woken early or not: the next try is due
      await clock.sleep(wait, this.#wake.signal).catch(() => undefined);
      this.#wake = null;
    }
  }

  /** One stay at the relay; resolves when it is over. */
  async #session(joined: () => void): Promise<void> {
    const { node, topic, addresses, onEvent, onState } = this.#options;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    const connection = await node.dial(
      this.#ways.map(({ address }) => address),
      { signal },
    );
    const over = Promise.withResolvers<undefined>();
    // at once: the relay has the list wait for the key
    const joining = joinTopic(
      connection,
      topic,
      addresses(),
      onEvent,
      () => {
        over.resolve(undefined);
      },
      signal,
    );
    joining.catch(() => undefined);
    let grant: AccessGrant;
    try {
      grant = await this.#present(connection, signal);
    } catch (error) {
      // the dial of the next try must not find a connection that the relay is about to close
      if (!signal.aborted) await disconnect(connection, error as Error);
      throw error;
    }
    const stream = await joining;
    const leave = () => {
      stream.close().catch((error: unknown) => {
        stream.abort(error as Error);
      });
    };
    this.#stop.signal.addEventListener('abort', leave, { once: true });
    const staying = new AbortController();
    void this.#renew(connection, grant, staying.signal);
    this.#upkeep = new RelayUpkeep({
      ...this.#options,
      relay: this.relay.peer,
      onSilent: () => {
        connection.abort(new TabmeshError('timeout', 'the relay does not answer'));
        over.resolve(undefined);
      },
    });
    this.#upkeep.start(staying.signal);
    try {
      joined();
      onState({ status: 'joined' });
      await over.promise;
    } finally {
      this.#upkeep = null;
      staying.abort();
      this.#stop.signal.removeEventListener('abort', leave);
    }
  }

  async #present(connection: Connection, signal: AbortSignal): Promise<AccessGrant> {
    const { node, access } = this.#options;
    const { peer } = this.relay;
    const self = node.peerId.toString() as PeerId;
    const grant = await presentAccess(connection, self, this.#key(), signal);
    access.granted(peer, grant);
    return grant;
  }

  /** The best key that the relay has not refused; null when none is known. */
  #key(): Uint8Array | null {
    const { access } = this.#options;
    const { peer } = this.relay;
    const own = access.key(peer);
    const all = [...(own === null ? [] : [own]), ...(access.others?.(peer) ?? [])];
    const keys = new Map(all.map((key) => [String(key), key]));
    const [first, ...more] = [...keys].filter(([text]) => !this.#refused.has(text));
    const [text, key] = first ?? ['', all[0] ?? null];
    this.#presented = text;
    this.#hasMoreKeys = more.length > 0;
    return key;
  }

  /** Keeps TURN credentials fresh for as long as this peer stays. */
  async #renew(connection: Connection, grant: AccessGrant, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let ttl = grant.iceTtlMs;
    let wait = (ttl ?? 0) * RENEW_AT;
    while (ttl !== null) {
      try {
        await clock.sleep(wait, signal);
        const { iceTtlMs } = await this.#present(
          connection,
          AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
        );
        ttl = iceTtlMs;
        wait = (ttl ?? 0) * RENEW_AT;
      } catch (error) {
        if (signal.aborted) return;
        log.info('TURN credentials not renewed', { relay: this.relay.host, reason: toTabmeshError(error).message });
        wait = RENEW_RETRY_MS;
      }
    }
  }
}
