import type { CallBook } from '../../contracts/tool-metrics.ts';
import type { Clock } from '../../lib/clock.ts';
import { monotonicNow } from '../../lib/clock.ts';
import type { ErrorCode, TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { wasNotSent } from '../remote.ts';
import { CircuitBreakers, type Outcome } from './breaker.ts';
import { Latencies, type ToolLatencies } from './latencies.ts';
import type { Candidate, LiveState } from './select.ts';

/** What shows that something is wrong at the place. Any other error is an answer: the place is well. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'peer_unreachable',
  'invalid_output',
  'protocol_error',
  'tool_failed',
  'internal',
]);
/** What says nothing of the place: the caller went away, or too many came at once. */
const NEITHER: ReadonlySet<ErrorCode> = new Set(['cancelled', 'rate_limited']);
/** A caller that allows less than this share of the tool's own deadline shows its own haste, not a place that hangs. */
const FAIR_SHARE = 0.5;
/** How long a place that refused a call since it was full comes after others, ms, when it does not say. */
const FULL_MS = 1000;
const LONGEST_FULL_MS = 60_000;

export interface LivePlacesOptions {
  readonly clock: Clock;
  readonly book: CallBook;
  readonly holders: (cid: string) => ReadonlySet<DeviceId> | undefined;
  readonly breakerMs?: number | undefined;
}

/** A call under way at a place. */
export interface Running {
  succeeded(): void;
  /** @param allowedMs how long it was given */
  failed(error: TabmeshError, allowedMs: number): void;
}

/** What the router learns of places by calling them. */
export class LivePlaces implements LiveState {
  readonly breakers: CircuitBreakers;
  readonly latencies = new Latencies();
  readonly #options: LivePlacesOptions;
  readonly #inFlight = new Map<PeerId, number>();
  readonly #fullUntil = new Map<PeerId, number>();

  constructor(options: LivePlacesOptions) {
    this.#options = options;
    this.breakers = new CircuitBreakers({ clock: options.clock, openMs: options.breakerMs });
  }

  inFlight(peer: PeerId): number {
    return this.#inFlight.get(peer) ?? 0;
  }

  refusal(peer: PeerId, tool: string): string | null {
    return this.breakers.refusal(peer, tool);
  }

  latenciesOf(tool: string): ToolLatencies | undefined {
    return this.latencies.of(tool);
  }

  full(peer: PeerId): boolean {
    if (this.#fullUntil.size === 0) return false;
    const until = this.#fullUntil.get(peer);
    if (until === undefined) return false;
    if (this.#options.clock.now() < until) return true;
    this.#fullUntil.delete(peer);
    return false;
  }

  holders(cid: string): ReadonlySet<DeviceId> | undefined {
    return this.#options.holders(cid);
  }

  /** Places that have left are forgotten, but for their breakers: who goes and comes all the time does not get rid of them. */
  keep(isHere: (peer: PeerId) => boolean): void {
    this.latencies.keep(isHere);
    for (const peer of this.#fullUntil.keys()) if (!isHere(peer)) this.#fullUntil.delete(peer);
  }

  /** A call of ours begins at a place. One of the two ends must be told. */
  begin({ place: { peer }, relay, metadata: { timeoutMs } }: Candidate, tool: string): Running {
    const { clock, book } = this.#options;
    const wasTry = this.breakers.begin(peer, tool);
    this.#inFlight.set(peer, this.inFlight(peer) + 1);
    const startedAt = monotonicNow(clock);
    const runtime = relay ? 'relay' : 'mesh';
    const end = (outcome: Outcome) => {
      this.breakers.end(peer, tool, outcome, wasTry);
      const left = this.inFlight(peer) - 1;
      if (left === 0) this.#inFlight.delete(peer);
      else this.#inFlight.set(peer, left);
      return monotonicNow(clock) - startedAt;
    };
    return {
      succeeded: () => {
        const ms = end('ok');
        this.latencies.add(tool, peer, ms);
        book.book({ tool, runtime, place: peer, ms, ok: true });
      },
      failed: (error, allowedMs) => {
        const ms = end(outcomeOf(error, allowedMs, timeoutMs));
        if (error.code === 'rate_limited') this.#markFull(peer, error);
        // a call that was given up after a while tells how slow the place is; one that never left has run nowhere
        if (error.code === 'cancelled') this.latencies.add(tool, peer, ms);
        else if (!wasNotSent(error)) book.book({ tool, runtime, place: peer, ms, ok: false });
      },
    };
  }

  #markFull(peer: PeerId, { details }: TabmeshError): void {
    const said = details['retryAfterMs'];
    const ms = typeof said === 'number' && said > 0 ? Math.min(said, LONGEST_FULL_MS) : FULL_MS;
    this.#fullUntil.set(peer, this.#options.clock.now() + ms);
  }
}

function outcomeOf({ code }: TabmeshError, allowedMs: number, ownMs: number): Outcome {
  if (code === 'timeout') return allowedMs >= FAIR_SHARE * ownMs ? 'failed' : 'neither';
  if (NEITHER.has(code)) return 'neither';
  return FAULTS.has(code) ? 'failed' : 'ok';
}
