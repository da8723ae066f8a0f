import type { HealthResult, HealthStatus } from '../contracts/tool-metrics.ts';
import { monotonicNow, type Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';
import { mapBounded } from '../lib/semaphore.ts';

/** A check that takes longer says enough, ms. */
const CHECK_TIMEOUT_MS = 5000;
/** Checks look at different things, so that a few at once do not disturb each other. */
const PARALLEL_CHECKS = 4;
/** What a missing part of the program is called where it is looked for. */
const MISSING = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/** What a check found; one that says nothing has found nothing wrong. */
export interface Finding {
  readonly status: HealthStatus;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type HealthCheck = (signal: AbortSignal) => Finding | undefined | Promise<Finding | undefined>;

/** Checks of the parts of a peer, by the name of the part. */
export class HealthChecks {
  readonly #clock: Clock;
  readonly #checks = new Map<string, HealthCheck>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A check of that name is replaced. */
  register(component: string, check: HealthCheck): void {
    this.#checks.set(component, check);
  }

  /** @returns one result for each check, in the order of registration; a check that throws is critical */
  run(signal: AbortSignal): Promise<readonly HealthResult[]> {
    return mapBounded(this.#checks, PARALLEL_CHECKS, ([name, check]) => this.#run(name, check, signal), signal);
  }

  async #run(component: string, check: HealthCheck, signal: AbortSignal): Promise<HealthResult> {
    const startedAt = monotonicNow(this.#clock);
    const found = await this.#ask(component, check, signal);
    return {
      component,
      status: found.status,
      message: found.message,
      at: this.#clock.now(),
      details: found.details ?? {},
      tookMs: monotonicNow(this.#clock) - startedAt,
    };
  }

  async #ask(component: string, check: HealthCheck, signal: AbortSignal): Promise<Finding> {
    const deadline = startDeadline({ clock: this.#clock, ms: CHECK_TIMEOUT_MS, what: `check of ${component}`, signal });
    try {
      const found = await deadline.race(Promise.resolve(check(deadline.signal)));
      return found ?? { status: 'healthy', message: 'nothing is wrong' };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { status: 'critical', message: isMissing(error) ? `${component} is unavailable: ${message}` : message };
    } finally {
      deadline.dispose();
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && MISSING.has(String(error.code));
}
