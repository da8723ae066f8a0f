import type { Clock } from '../src/lib/clock.ts';
import { TokenBucket } from '../src/mesh/rpc/token-bucket.ts';

/** How often each key may do something. */
export interface Rate {
  /** at once */
  readonly burst: number;
  readonly perSecond: number;
}

/** One token bucket a key. A key that has been quiet until its bucket was full again costs no memory. */
export interface KeyedBuckets {
  /** @returns false when the key is over its rate */
  take(key: string): boolean;
}

/** Makes a {@link KeyedBuckets}. */
export function createKeyedBuckets(rate: Rate, clock: Clock): KeyedBuckets {
  const fullAfterMs = (rate.burst / rate.perSecond) * 1000;
  // in the order of last use: the quiet ones are in front
  const buckets = new Map<string, { readonly bucket: TokenBucket; usedAt: number }>();
  return {
    take(key) {
      const now = clock.now();
      const entry = buckets.get(key) ?? { bucket: new TokenBucket(rate.burst, rate.perSecond, clock), usedAt: now };
      entry.usedAt = now;
      buckets.delete(key);
      buckets.set(key, entry);
      for (const [quiet, { usedAt }] of buckets) {
        if (now - usedAt < fullAfterMs) break;
        buckets.delete(quiet);
      }
      return entry.bucket.take(1);
    },
  };
}
