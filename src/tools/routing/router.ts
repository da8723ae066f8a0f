import type { RouterCounts } from '../../contracts/routing.ts';
import type { CallBook } from '../../contracts/tool-metrics.ts';
import type {
  CallOptions,
  CallRequest,
  CallResult,
  RouteExplanation,
  RoutePlan,
  ToolMetadata,
} from '../../contracts/tools.ts';
import { monotonicNow, type Clock } from '../../lib/clock.ts';
import { startDeadline, type Deadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { principalKey } from '../access.ts';
import { atItsPlace } from '../approvals/handle.ts';
import { callLimit, type LocalTools } from '../local-tools.ts';
import type { KnownPlace, Offers, RoomPlaces } from '../places.ts';
import type { RemotePlaces } from '../remote.ts';
import { unknownTool } from '../unknown-tool.ts';
import { checkArgumentsSize } from '../validate.ts';
import { runCall, type AttemptDeps } from './attempts.ts';
import type { CircuitBreakers } from './breaker.ts';
import { choosePlace } from './choose.ts';
import { explainCandidates, explainKept, warningsOf } from './explain.ts';
import { HedgeBudget } from './hedge-budget.ts';
import { LivePlaces } from './live-places.ts';
import { noPlace } from './no-place.ts';
import { answerKey, ResultCache } from './result-cache.ts';
import { selectPlaces, type Selection } from './select.ts';
import { SharedCalls } from './shared-calls.ts';
import { StickyPlaces } from './sticky-places.ts';

export interface RouterOptions {
  readonly room: RoomId;
  readonly places: RoomPlaces;
  readonly local: LocalTools;
  readonly remotes: RemotePlaces;
  readonly clock: Clock;
  readonly log: Log;
  /** told of every run, under the place where it ran */
  readonly book: CallBook;
  /** devices that hold the dataset of a CID; undefined for a CID that nobody lists */
  readonly holders: (cid: string) => ReadonlySet<DeviceId> | undefined;
  /** 0 to 1 */
  readonly random: () => number;
  /** how long an open circuit breaker stays open, ms; for tests */
  readonly breakerMs?: number;
}

/** Runs each call at the best place, and tells why there. */
export interface Router {
  /** never throws for a failed call: the failure is in the result */
  call(request: CallRequest, options?: CallOptions): Promise<CallResult>;
  /** What a call would do now; nothing runs. @throws `unknown_tool` */
  plan(request: CallRequest): RoutePlan;
  readonly counts: () => RouterCounts;
  readonly breakers: CircuitBreakers;
  /** The room's data have changed: answers of before are not given again. */
  forgetAnswers(): void;
}

/** Makes the router of a peer. */
export function createRouter(options: RouterOptions): Router {
  const { room, places, local, remotes, clock, log, book, holders, random } = options;
  const live = new LivePlaces({ clock, book, holders, breakerMs: options.breakerMs });
  const cache = new ResultCache(clock);
  const shared = new SharedCalls();
  const counts = { running: 0, shared: 0, hedged: 0, retried: 0 };
  const deps: AttemptDeps = {
    local,
    remotes,
    live,
    sticky: new StickyPlaces(clock),
    hedges: new HedgeBudget(),
    clock,
    random,
    count: (what) => {
      counts[what]++;
    },
  };
  let cacheEpoch = 0;
  const forgetAnswers = () => {
    cacheEpoch++;
    cache.clear();
  };
  const lookAround = createWatch(places, live, forgetAnswers);

  const offersFor = (request: CallRequest, { accepts }: Pick<CallOptions, 'accepts'>): Offers => {
    lookAround();
    const offers = places.offers(request.tool, accepts);
    if (offers !== undefined) return offers;
    const names = places.names();
    if (!names.includes(request.tool)) throw unknownTool(request.tool, names);
    throw nobody(request, undefined);
  };
  const select = (request: CallRequest, given: Pick<CallOptions, 'accepts'> = {}): Selection =>
    selectPlaces(request, offersFor(request, given), places.known(), live);
  const nobody = (request: CallRequest, selection: Selection | undefined) => {
    const breakers = live.breakers.list().filter(({ tool }) => tool === request.tool);
    return noPlace(request.tool, selection, request.place, places.known(), breakers);
  };

  const run = async (request: CallRequest, callOptions: CallOptions, deadline: Deadline): Promise<CallResult> => {
    const startedAt = monotonicNow(clock);
    const ran: { route: RouteExplanation | null } = { route: null };
    try {
      const attempt = {
        request,
        options: callOptions,
        deadline,
        principal: principalKey(request.principal),
        select: () => select(request, callOptions),
        nobody: (now: Selection) => nobody(request, now),
        chosen: (explanation: RouteExplanation) => {
          ran.route = explanation;
        },
      };
      const value = await runCall(attempt, deps);
      const { route } = ran;
      if (route === null) throw new TabmeshError('internal', 'a call has run nowhere');
      return { ok: true, value, route, tookMs: monotonicNow(clock) - startedAt };
    } catch (thrown) {
      const error = deadline.reason() ?? toTabmeshError(thrown);
      const tookMs = monotonicNow(clock) - startedAt;
      const { route } = ran;
      if (route === null) book.book({ tool: request.tool, runtime: 'unknown', place: null, ms: tookMs, ok: false });
      return { ok: false, error: error.toWire(), route, tookMs };
    }
  };

  /** The answer of an earlier call, of one under way, or of a call of its own that others may share. */
  const runOrRecall = async (
    key: string,
    ttlMs: number,
    request: CallRequest,
    callOptions: CallOptions,
    { timeoutMs }: ToolMetadata,
    deadline: Deadline,
  ): Promise<CallResult> => {
    const kept = cache.get(key);
    if (kept !== undefined) {
      const why = `answered ${String(Math.round(kept.ageMs / 1000))} s ago`;
      return { ok: true, value: kept.value(), route: explainKept(kept.route, 'cache', why), tookMs: 0 };
    }
    const startedAt = monotonicNow(clock);
    const { result, shared: joined } = await shared.join(
      key,
      async ({ signal, onProgress }) => {
        const own = startDeadline({ clock, ms: callLimit(undefined, timeoutMs), what: request.tool, signal });
        const epoch = cacheEpoch;
        try {
          const made = await run(request, { ...callOptions, signal, onProgress }, own);
          if (made.ok && epoch === cacheEpoch) cache.set(key, made.value, made.route, ttlMs);
          return made;
        } finally {
          own.dispose();
        }
      },
      deadline,
      callOptions.onProgress,
    );
    if (!joined) return result;
    counts.shared++;
    const tookMs = monotonicNow(clock) - startedAt;
    if (!result.ok) return { ...result, tookMs };
    const route = explainKept(result.route, 'shared', 'a call alike was under way');
    return { ok: true, value: structuredClone(result.value), route, tookMs };
  };

  return {
    breakers: live.breakers,
    forgetAnswers,
    counts: () => {
      const { size, hits, misses } = cache.counts;
      return { ...counts, cachedAnswers: size, cacheHits: hits, cacheMisses: misses };
    },
    plan(request) {
      const selection = select(request);
      const choice = choosePlace(selection.candidates, {
        pinned: request.place !== undefined,
        sticky: stickyPlace(selection.metadata, request, deps.sticky),
        random,
      });
      return {
        tool: request.tool,
        runtime: selection.runtime,
        chosen: choice?.candidate.place ?? null,
        candidates: explainCandidates(selection, new Map()),
        why: choice?.why ?? nobody(request, selection).message,
        ...warningsOf(selection),
      };
    },
    async call(given, callOptions = {}) {
      const request = atItsPlace(given);
      const startedAt = monotonicNow(clock);
      let deadline: Deadline | undefined;
      counts.running++;
      try {
        // refused here, since it might not even fit into a frame to the place that would refuse it
        checkArgumentsSize(request.tool, request.args);
        const { metadata } = offersFor(request, callOptions);
        if (metadata.deprecation !== null) {
          log.warn('deprecated tool called', { tool: request.tool, reason: metadata.deprecation });
        }
        const ms = callLimit(callOptions.timeoutMs, metadata.timeoutMs);
        deadline = startDeadline({ clock, ms, what: request.tool, signal: callOptions.signal });
        const key = keyFor(request, metadata, ms, room);
        if (key === undefined || metadata.cacheTtlMs === null) return await run(request, callOptions, deadline);
        return await runOrRecall(key, metadata.cacheTtlMs, request, callOptions, metadata, deadline);
      } catch (thrown) {
        const error = deadline?.reason() ?? toTabmeshError(thrown);
        return { ok: false, error: error.toWire(), route: null, tookMs: monotonicNow(clock) - startedAt };
      } finally {
        counts.running--;
        deadline?.dispose();
      }
    },
  };
}

/**
 * Learns from peers that leave and come; looked at with each call, since most changes of the room are none of its peers.
 * @param changed told when other peers are here than before
 */
function createWatch(places: RoomPlaces, live: LivePlaces, changed: () => void): () => void {
  let seen: readonly KnownPlace[] = [];
  let before = new Set<PeerId>();
  return () => {
    const known = places.known();
    if (known === seen) return;
    const first = seen.length === 0;
    seen = known;
    const now = new Set(known.map(({ place }) => place.peer));
    const same = now.size === before.size && [...now].every((peer) => before.has(peer));
    if (!same && !first) {
      for (const peer of now) if (!before.has(peer)) live.breakers.cameAgain(peer);
      live.keep((peer) => now.has(peer));
      changed();
    }
    before = now;
  };
}

/** The key under which a call's answer is kept and shared; undefined when it is neither. */
function keyFor(
  { tool, args, principal, place, credentials }: CallRequest,
  { cacheTtlMs, schemaVersion, timeoutMs }: ToolMetadata,
  allowedMs: number,
  room: RoomId,
): string | undefined {
  // who asks for a place wants it to run there; who gives it longer than its own deadline cannot wait for a call that has less
  if (cacheTtlMs === null || place !== undefined || allowedMs > timeoutMs) return undefined;
  // what one call may do by what it shows, or by who passed it on, another of the same principal may not
  if (credentials !== undefined || principal.via !== undefined) return undefined;
  return answerKey({ room, tool, schemaVersion, principal: principalKey(principal), args });
}

function stickyPlace({ sticky }: ToolMetadata, { principal }: CallRequest, places: StickyPlaces): PeerId | undefined {
  return sticky === null ? undefined : places.get(sticky, principalKey(principal));
}
