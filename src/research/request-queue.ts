import type { FetchAnswer, FetchPort } from '../contracts/fetch.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { RequestGate } from './gate.ts';
import { retryAfterMs } from './retry-after.ts';

/** Retries after the first attempt: enough for a hiccup, few enough that a dead service is soon reported. */
export const MAX_RETRIES = 3;
/** First back-off; each further one doubles: about 1, 2 and 4 s, which outlasts the usual gateway restart. */
const BACKOFF_BASE_MS = 1_000;
/** A service that asks for a longer pause than this is reported instead of waited for. */
export const MAX_RETRY_AFTER_MS = 30_000;
/** Answers that may be different next time; every other status is final. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export interface RequestQueueOptions {
  readonly fetch: FetchPort;
  readonly gate: RequestGate;
  readonly clock: Clock;
  /** uniform in [0, 1) */
  readonly random: () => number;
  /** least time between the starts of two requests, ms */
  readonly spacingMs: number;
  /** the service's name in messages */
  readonly service: string;
}

/**
 * One polite line of requests to one service: one at a time, spaced, with retries. While the service asks for a pause
 * nobody else in the line (with a shared gate: no other tab) asks it either.
 */
export interface RequestQueue {
  /**
   * @returns the answer, whose status is 2xx
   * @throws `upstream_throttled` (429), `upstream_error` (other statuses), both after the retries; what the fetch port
   * throws; `cancelled` or `timeout` when the signal fires
   */
  get(url: string, options: { readonly signal: AbortSignal; readonly accept: string }): Promise<FetchAnswer>;
}

/** See {@link RequestQueue}. */
export function createRequestQueue(options: RequestQueueOptions): RequestQueue {
  const { gate, clock, spacingMs } = options;
  return {
    get: (url, { signal, accept }) =>
      new Promise<FetchAnswer>((resolve, reject) => {
        let lastStart = 0;
        const attempts = () =>
          askWithRetries(options, signal, () => {
            lastStart = clock.now();
            return options.fetch.get(url, { signal, accept });
          });
        gate
          .run(async () => {
            // the caller has its answer at once; the gate stays closed until the spacing has passed
            await attempts().then(resolve, reject);
            const rest = lastStart + spacingMs - clock.now();
            if (rest > 0) await clock.sleep(rest);
          }, signal)
          .catch(reject);
      }),
  };
}

async function askWithRetries(
  options: RequestQueueOptions,
  signal: AbortSignal,
  ask: () => Promise<FetchAnswer>,
): Promise<FetchAnswer> {
  for (let attempt = 0; ; attempt += 1) {
    throwIfAborted(signal);
    const outcome = await attemptOnce(options, signal, ask);
    if (!('failure' in outcome)) return outcome.answer;
    const { failure, retried, askedPauseMs } = outcome;
    if (!retried || attempt >= MAX_RETRIES || (askedPauseMs ?? 0) > MAX_RETRY_AFTER_MS) throw failure;
    const pause = Math.max(options.spacingMs, askedPauseMs ?? 0, backoffMs(attempt, options.random));
    try {
      await options.clock.sleep(pause, signal);
    } catch (thrown) {
      throw toTabmeshError(thrown, 'cancelled');
    }
  }
}

type Outcome =
  | { readonly answer: FetchAnswer }
  | { readonly failure: TabmeshError; readonly retried: boolean; readonly askedPauseMs: number | null };

async function attemptOnce(
  options: RequestQueueOptions,
  signal: AbortSignal,
  ask: () => Promise<FetchAnswer>,
): Promise<Outcome> {
  let answer: FetchAnswer;
  try {
    answer = await ask();
  } catch (thrown) {
    throwIfAborted(signal);
    const failure = toTabmeshError(thrown, 'upstream_unreachable');
    // a timeout is not retried: each further attempt could take as long again, and the step has a deadline too
    return { failure, retried: failure.code === 'upstream_unreachable', askedPauseMs: null };
  }
  if (answer.status >= 200 && answer.status < 300) return { answer };
  const askedPauseMs = retryAfterMs(answer.headers['retry-after'], options.clock.now());
  const retried = RETRIED_STATUSES.has(answer.status);
  return { failure: statusError(options.service, answer.status, retried, askedPauseMs), retried, askedPauseMs };
}

/** Half of the wait is fixed, half random, so that clients which failed together do not come back together. */
function backoffMs(attempt: number, random: () => number): number {
  return BACKOFF_BASE_MS * 2 ** attempt * (0.5 + random() / 2);
}

function statusError(service: string, status: number, retryable: boolean, pauseMs: number | null): TabmeshError {
  const details = { status, ...(pauseMs === null ? {} : { retryAfterMs: pauseMs }) };
  if (status === 429) {
    const when = pauseMs === null ? 'in a minute' : `in ${Math.max(1, Math.ceil(pauseMs / 1000))} s`;
    return new TabmeshError('upstream_throttled', `${service} says that it gets too many requests from here (429)`, {
      hint: `Try again ${when}. Others on your network may be using ${service} too.`,
      retryable: true,
      details,
    });
  }
  return new TabmeshError('upstream_error', `${service} answered with HTTP status ${status}`, {
    hint: retryable ? `${service} has trouble at the moment. Try again later.` : 'Check the request and try again.',
    retryable,
    details,
  });
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw toTabmeshError(signal.reason, 'cancelled');
}
