import type { AuditEvent, AuditRecord, UnchainedEvent } from '../../contracts/audit.ts';
import type { Clock } from '../../lib/clock.ts';
import { MAX_CALLERS, MAX_SUMS, ONE_BY_ONE } from './limits.ts';

/** Calls of one caller to one tool that ended alike. */
interface Sum {
  readonly event: AuditEvent;
  readonly at: number;
  calls: number;
  tookMs: number;
}

/**
 * Adds up the calls of who calls faster than is worth writing down one by one: each is still accounted for, and nobody can
 * flood a small log until what it did before is gone.
 */
export class CallSums {
  readonly #clock: Clock;
  /** in the order of last use: the quiet ones are in front */
  readonly #callers = new Map<string, { left: number; at: number }>();
  readonly #sums = new Map<string, Sum>();
  /** calls that were not even added up, since the last {@link take} */
  #left = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get empty(): boolean {
    return this.#sums.size === 0 && this.#left === 0;
  }

  /** @returns false when the call is to be written down by itself */
  add({ args: _, ...record }: AuditRecord): boolean {
    const { who, what, outcome, tookMs } = record;
    const caller = [who.kind, who.issuer ?? '', who.id, ...(who.via ?? [])].join(' ');
    if (this.#mayWrite(caller)) return false;
    const key = JSON.stringify([caller, what, outcome]);
    const sum = this.#sums.get(key);
    if (sum !== undefined) {
      sum.calls++;
      sum.tookMs += tookMs ?? 0;
    } else if (this.#sums.size < MAX_SUMS) {
      const event = { ...record, argsHmac: null, trace: null };
      this.#sums.set(key, { event, at: this.#clock.now(), calls: 1, tookMs: tookMs ?? 0 });
    } else {
      this.#left++;
    }
    return true;
  }

  /** The sums since last time, and how many calls are in none. */
  take(): { readonly events: readonly UnchainedEvent[]; readonly left: number } {
    const events = [...this.#sums.values()].map(({ event, at, calls, tookMs }) => ({
      event: { ...event, tookMs, calls },
      at,
    }));
    const left = this.#left;
    this.#sums.clear();
    this.#left = 0;
    return { events, left };
  }

  #mayWrite(caller: string): boolean {
    const { burst, perSecond } = ONE_BY_ONE;
    const now = this.#clock.now();
    const before = this.#callers.get(caller) ?? { left: burst, at: now };
    const left = Math.min(burst, before.left + (Math.max(0, now - before.at) / 1000) * perSecond);
    const may = left >= 1;
    this.#callers.delete(caller);
    this.#callers.set(caller, { left: may ? left - 1 : left, at: now });
    if (this.#callers.size > MAX_CALLERS) {
      const [quiet] = this.#callers.keys();
      if (quiet !== undefined) this.#callers.delete(quiet);
    }
    return may;
  }
}
