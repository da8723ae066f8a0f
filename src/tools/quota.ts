import { TabmeshError } from '../lib/errors.ts';
import { RETRY_AFTER_MS } from './limits.ts';

export interface QuotaLimits {
  /** calls running here at once */
  readonly perPlace: number;
  /** of these, for one principal */
  readonly perPrincipal: number;
}

/** Counts the calls that run here. */
export interface Quota {
  /**
   * Takes a slot for a principal.
   * @returns the function that gives it back; calling it again does nothing
   * @throws `rate_limited`
   */
  take(principal: string): () => void;
}

/** Makes a {@link Quota} with every slot free. */
export function createQuota(limits: QuotaLimits): Quota {
  const running = new Map<string, number>();
  let total = 0;
  return {
    take(principal) {
      const own = running.get(principal) ?? 0;
      if (own >= limits.perPrincipal) throw refused('you already have', own);
      if (total >= limits.perPlace) throw refused('this peer already runs', total);
      running.set(principal, own + 1);
      total += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        total -= 1;
        const left = (running.get(principal) ?? 1) - 1;
        // forgotten at zero, so that the map does not grow with everybody who ever called
        if (left === 0) running.delete(principal);
        else running.set(principal, left);
      };
    },
  };
}

function refused(who: string, count: number): TabmeshError {
  return new TabmeshError('rate_limited', `${who} ${String(count)} calls here; no more are taken until one ends`, {
    hint: 'Wait for some of the calls to end, then try again.',
    retryable: true,
    details: { retryAfterMs: RETRY_AFTER_MS, running: count },
  });
}
