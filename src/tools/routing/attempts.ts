import type { CallOptions, CallRequest, RouteExplanation } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { toTabmeshError, type ErrorCode, type TabmeshError } from '../../lib/errors.ts';
import type { LocalTools } from '../local-tools.ts';
import { wasNotSent, type RemotePlaces } from '../remote.ts';
import { choosePlace, type Choice } from './choose.ts';
import { explainRoute } from './explain.ts';
import { hedged } from './hedged.ts';
import type { HedgeBudget } from './hedge-budget.ts';
import type { LivePlaces } from './live-places.ts';
import { retryDelay } from './retry.ts';
import type { Candidate, Selection } from './select.ts';
import type { StickyPlaces } from './sticky-places.ts';

/** Failures of a place, not of the call: another place may do better, if the tool bears to be begun twice. */
const PLACE_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'peer_unreachable',
  'rate_limited',
  'invalid_output',
  'protocol_error',
]);
/** A second place is asked no sooner, ms: below it lies the noise of any link. */
const MIN_HEDGE_MS = 20;

export interface AttemptDeps {
  readonly local: Pick<LocalTools, 'call' | 'checkAnswer'>;
  readonly remotes: Pick<RemotePlaces, 'call'>;
  readonly live: LivePlaces;
  readonly sticky: StickyPlaces;
  readonly hedges: HedgeBudget;
  readonly clock: Clock;
  readonly random: () => number;
  /** told of every wait before a retry, and of every call that was sent to a second place */
  readonly count: (what: 'retried' | 'hedged') => void;
}

/** One call on its way. */
export interface Attempt {
  readonly request: CallRequest;
  readonly options: CallOptions;
  readonly deadline: Deadline;
  /** of the principal, for places that keep state */
  readonly principal: string;
  /** who can take it now. @throws `unknown_tool` */
  select(): Selection;
  /** why nobody can */
  nobody(selection: Selection): TabmeshError;
  /** told of each place before it is tried */
  chosen(route: RouteExplanation): void;
}

/**
 * Runs a call at the best place, then at the next ones, then after a wait once more, as long as that is safe: a call that
 * has begun is never begun again, unless the tool says that doing so is harmless.
 * @throws the last failure; the deadline's reason
 */
export async function runCall(attempt: Attempt, deps: AttemptDeps): Promise<unknown> {
  const { deadline, request } = attempt;
  const failed = new Map<Candidate, TabmeshError>();
  let now = attempt.select();
  const { retry, sticky: group } = now.metadata;
  for (let retries = 0; ;) {
    const left =
      failed.size === 0 ? now.candidates : now.candidates.filter((each) => isLeft(each, failed, request, deps));
    const choice = choosePlace(left, {
      pinned: request.place !== undefined,
      sticky: group === null ? undefined : deps.sticky.get(group, attempt.principal),
      random: deps.random,
    });
    const over = deadline.reason();
    let error = over ?? [...failed.values()].at(-1);
    if (choice === undefined) error ??= attempt.nobody(now);
    else {
      attempt.chosen(explainRoute(now, choice, failed));
      if (over !== undefined) throw over;
      try {
        return await tryPlace(attempt, choice, now, failed, deps);
      } catch (thrown) {
        error = toTabmeshError(thrown, 'tool_failed');
        if (deadline.reason() !== undefined || !mayBeginAgain(error, choice.candidate)) throw error;
        failed.set(choice.candidate, error);
        if (isPlaceFault(error)) continue;
      }
    }
    const wait = retryDelay(retry, ++retries, error, deps.random);
    if (wait === null || wait >= deadline.remaining()) throw error;
    deps.count('retried');
    await deps.clock.sleep(wait, deadline.signal);
    failed.clear();
    now = attempt.select();
  }
}

async function tryPlace(
  attempt: Attempt,
  { candidate }: Choice,
  selection: Selection,
  failed: Map<Candidate, TabmeshError>,
  deps: AttemptDeps,
): Promise<unknown> {
  const { deadline, request } = attempt;
  const afterMs = hedgeAfter(candidate, request, deps);
  if (afterMs === null || selection.candidates.length < 2) return tryAt(attempt, candidate, deadline, deps);
  deps.hedges.earn();
  const second = () => {
    const other = selection.candidates.find(
      (each) => each !== candidate && isIdempotent(each) && isLeft(each, failed, request, deps),
    );
    if (other === undefined || !deps.hedges.spend()) return undefined;
    deps.count('hedged');
    return async (own: Deadline) => {
      try {
        return { candidate: other, value: await tryAt(attempt, other, own, deps, true) };
      } catch (thrown) {
        failed.set(other, toTabmeshError(thrown, 'tool_failed'));
        throw thrown;
      }
    };
  };
  const first = async (own: Deadline) => ({ candidate, value: await tryAt(attempt, candidate, own, deps) });
  const winner = await hedged(first, second, { afterMs, clock: deps.clock, deadline });
  if (winner.candidate !== candidate) {
    const why = 'it was faster than the first';
    attempt.chosen(explainRoute(selection, { candidate: winner.candidate, why }, failed));
  }
  return winner.value;
}

/** One try at one place, within a deadline that may be that of this try alone. */
async function tryAt(
  { request, options, principal: principalKey }: Attempt,
  candidate: Candidate,
  deadline: Deadline,
  { local, remotes, live, sticky }: AttemptDeps,
  hedge = false,
): Promise<unknown> {
  const { place, metadata } = candidate;
  const { tool, args, principal } = request;
  const shown = request.credentials === undefined ? {} : { credentials: request.credentials };
  const allowedMs = deadline.remaining();
  const hop = {
    signal: deadline.signal,
    timeoutMs: allowedMs,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.traceparent === undefined ? {} : { traceparent: options.traceparent }),
  };
  const running = live.begin(candidate, tool);
  const ended = options.onTry?.(place, hedge);
  try {
    const answer =
      place.kind === 'self'
        ? await deadline.race(local.call({ tool, args, principal, ...shown }, hop))
        : local.checkAnswer(
            metadata,
            await deadline.race(remotes.call(place.peer, tool, args, principal, { ...hop, ...shown })),
          );
    running.succeeded();
    ended?.(null);
    if (metadata.sticky !== null) sticky.set(metadata.sticky, principalKey, place.peer);
    return answer;
  } catch (thrown) {
    const error = deadline.reason() ?? toTabmeshError(thrown, 'tool_failed');
    running.failed(error, allowedMs);
    ended?.(error.toWire());
    throw error;
  }
}

const isIdempotent = ({ metadata }: Candidate): boolean => metadata.annotations.idempotentHint;

const isPlaceFault = (error: TabmeshError): boolean => wasNotSent(error) || PLACE_FAULTS.has(error.code);

/** A call that has begun is never begun again, unless the tool says that doing so is harmless. */
const mayBeginAgain = (error: TabmeshError, candidate: Candidate): boolean =>
  wasNotSent(error) || isIdempotent(candidate);

/** Not tried yet, and not found broken by another call since the places were ranked. */
function isLeft(
  candidate: Candidate,
  failed: ReadonlyMap<Candidate, TabmeshError>,
  { tool }: CallRequest,
  { live }: AttemptDeps,
): boolean {
  return !failed.has(candidate) && live.refusal(candidate.place.peer, tool) === null;
}

/**
 * When a second place is asked too, ms; null for never: the tool does not bear it, asks the world outside (which would get
 * twice the requests), keeps state, runs here, or was not called often enough to know what is slow; or the call shows
 * something that may be good for one place only.
 */
function hedgeAfter(candidate: Candidate, request: CallRequest, { live }: AttemptDeps): number | null {
  const { idempotentHint, openWorldHint } = candidate.metadata.annotations;
  if (!idempotentHint || openWorldHint || candidate.place.kind === 'self') return null;
  if (candidate.metadata.sticky !== null || request.place !== undefined || request.credentials !== undefined)
    return null;
  const p95 = live.latencies.of(request.tool)?.p95() ?? null;
  return p95 === null ? null : Math.max(MIN_HEDGE_MS, p95);
}
