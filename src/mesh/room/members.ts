import type { ToolMetadata } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import { disconnect } from '../membership/disconnect.ts';
import type { Membership } from '../membership/membership.ts';
import { fromMcpToolList, REQUEST_META } from '../rpc/mcp-wire.ts';
import type { RpcSessions } from '../rpc/sessions.ts';

/** How often a link's round trip is measured. With the two below, a peer that is gone shows as gone within 10 s. */
const PING_INTERVAL_MS = 3_000;
/** A direct round trip is milliseconds; a relayed one across the world under a second. */
const PING_TIMEOUT_MS = 3_000;
/** Two in a row unanswered: the peer is gone, whatever the transport still believes. */
const MAX_MISSED_PINGS = 2;
/** A hidden page may be slow to answer for tens of seconds (throttled, a phone that dozes) and be there all the same. */
const MAX_MISSED_PINGS_HIDDEN = 12;
/** A relay that sees a connection end is nearly always right; a peer that lives answers within this. */
const SUSPECT_TIMEOUT_MS = 1_500;
/** weight of a new sample in the smoothed round trip (RFC 6298's 1/8 is for streams of samples; ours are few) */
const LATENCY_WEIGHT = 0.3;

/** What we have learned of a linked member by asking it. */
export interface MemberFacts {
  readonly tools: readonly ToolMetadata[];
  readonly latencyMs: number | null;
  readonly since: number;
}

interface Member {
  tools: ToolMetadata[];
  /** the tool names that `tools` answers to */
  toolsFor: string | null;
  latencyMs: number | null;
  readonly since: number;
  missed: number;
}

export interface MembersOptions {
  readonly membership: Membership;
  readonly rpc: RpcSessions;
  readonly clock: Clock;
  /** false while this page is hidden: our own timers are throttled then, so silence proves nothing */
  readonly visible: () => boolean;
  /** whether a peer has said that its page is hidden */
  readonly isHidden: (peer: PeerId) => boolean;
  /** told of every ping: its round trip in ms, or null when it was not answered */
  readonly onProbe?: (peer: PeerId, latencyMs: number | null) => void;
  readonly log: Log;
}

/** Keeps, for every linked member, its tools and round trip; cuts off those that no longer answer. */
export class Members {
  readonly #options: MembersOptions;
  readonly #members = new Map<PeerId, Member>();
  readonly #listeners = createListeners();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(options: MembersOptions) {
    this.#options = options;
    options.membership.subscribe(({ type, link }) => {
      const { peer } = link.member;
      if (type === 'opened') {
        if (!this.#members.has(peer)) {
          this.#members.set(peer, {
            tools: [],
            toolsFor: null,
            latencyMs: null,
            since: options.clock.now(),
            missed: 0,
          });
        }
        void this.#ping(peer);
      } else if (options.membership.linkTo(peer) === undefined) this.#members.delete(peer);
      this.#listeners.notify();
    });
    this.#timer = setInterval(() => {
      for (const peer of this.#members.keys()) void this.#ping(peer);
    }, PING_INTERVAL_MS);
  }

  facts(peer: PeerId): MemberFacts | undefined {
    return this.#members.get(peer);
  }

  peers(): readonly PeerId[] {
    return [...this.#members.keys()];
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** The member offers these names now: fetches their definitions when they are others than those we have. */
  async offers(peer: PeerId, names: readonly string[]): Promise<void> {
    const member = this.#members.get(peer);
    const wanted = [...names].sort().join(' ');
    if (member === undefined || member.toolsFor === wanted) return;
    member.toolsFor = wanted;
    try {
      const answer = await this.#options.rpc.request(peer, 'tools/list', { _meta: REQUEST_META });
      // a later change may have been answered first
      if (member.toolsFor !== wanted) return;
      member.tools = fromMcpToolList(answer, (reason) => {
        this.#options.log.warn('tool of a peer left out', { peer, reason: reason.message });
      });
      this.#listeners.notify();
    } catch (error) {
      member.toolsFor = null;
      this.#options.log.info('no tool list', { peer, reason: (error as Error).message });
    }
  }

  /** The relay has lost the peer: most often its tab was closed. Asks once, and cuts the link when there is no answer. */
  async suspect(peer: PeerId): Promise<void> {
    const { rpc, membership } = this.#options;
    const link = membership.linkTo(peer);
    if (link === undefined) return;
    try {
      await rpc.request(peer, 'ping', { _meta: REQUEST_META }, { timeoutMs: SUSPECT_TIMEOUT_MS });
    } catch (error) {
      if (!isRefusal(error)) await disconnect(link.connection, error as Error);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ping(peer: PeerId): Promise<void> {
    const { rpc, membership, visible, isHidden, log } = this.#options;
    const member = this.#members.get(peer);
    if (member === undefined) return;
    const started = performance.now();
    try {
      await rpc.request(peer, 'ping', { _meta: REQUEST_META }, { timeoutMs: PING_TIMEOUT_MS });
      const sample = performance.now() - started;
      this.#options.onProbe?.(peer, sample);
      member.missed = 0;
      member.latencyMs =
        member.latencyMs === null ? sample : member.latencyMs + LATENCY_WEIGHT * (sample - member.latencyMs);
      this.#listeners.notify();
    } catch (error) {
      // a peer that says no is here: another implementation may serve no calls
      if (isRefusal(error)) return;
      // a hidden page's own timers are late: what it misses says nothing of the peer, then or when it is in view again
      if (!visible()) return;
      this.#options.onProbe?.(peer, null);
      member.missed++;
      if (member.missed < (isHidden(peer) ? MAX_MISSED_PINGS_HIDDEN : MAX_MISSED_PINGS)) return;
      log.info('peer does not answer', { peer, reason: (error as Error).message });
      const link = membership.linkTo(peer);
      if (link !== undefined) await disconnect(link.connection, new Error('the peer does not answer'));
    }
  }
}

/** Whether an error is the peer's own answer, and so proves that it lives. */
function isRefusal(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && cause.name === 'UnsupportedProtocolError';
}
