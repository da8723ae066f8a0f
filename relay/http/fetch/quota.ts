import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { createKeyedBuckets, type Rate } from '../../keyed-buckets.ts';

/** How much the holders of tickets may fetch. */
export interface FetchQuotaLimits {
  readonly rate: Rate;
  readonly runningPerTicket: number;
  readonly running: number;
}

export const FETCH_QUOTA: FetchQuotaLimits = {
  // three times what NCBI allows one address (3 a second), for several services at once
  rate: { burst: 30, perSecond: 10 },
  runningPerTicket: 8,
  running: 64,
};

/** Keeps one member from using up the relay's outgoing traffic. */
export interface FetchQuota {
  /**
   * @returns gives the slot back; must be called when the request has ended
   * @throws `rate_limited`
   */
  take(ticketId: string): () => void;
}

/** Makes a {@link FetchQuota}. */
export function createFetchQuota(limits: FetchQuotaLimits, clock: Clock): FetchQuota {
  const buckets = createKeyedBuckets(limits.rate, clock);
  const running = new Map<string, number>();
  let total = 0;
  return {
    take(ticketId) {
      const mine = running.get(ticketId) ?? 0;
      if (total >= limits.running || mine >= limits.runningPerTicket || !buckets.take(ticketId)) {
        throw new TabmeshError('rate_limited', 'this relay is fetching as much as it may for you already', {
          hint: 'Wait a moment, then try again.',
          retryable: true,
          details: { retryAfterMs: Math.ceil(1000 / limits.rate.perSecond) },
        });
      }
      total++;
      running.set(ticketId, mine + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        total--;
        const left = (running.get(ticketId) ?? 1) - 1;
        if (left === 0) running.delete(ticketId);
        else running.set(ticketId, left);
      };
    },
  };
}
