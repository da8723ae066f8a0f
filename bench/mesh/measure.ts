import { quantile } from '../search/measures.ts';

/** How a round of calls of one kind went. Runs in pages and in Node alike. */
export interface Sample {
  /** ms, one call in flight */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** one call in flight */
  readonly perSecond: number;
  /** {@link MANY} calls in flight */
  readonly perSecondMany: number;
  /** ms, {@link MANY} calls in flight */
  readonly p50ManyMs: number;
}

/** Calls in flight in the busy half of a round: half of what a member may have. */
export const MANY = 32;

/** Just-in-time compilation and lazily opened streams are not what is measured. */
const WARM_UP_CALLS = 20;

/** How long a half of a round lasts, and no less than this many calls. */
export interface Length {
  readonly ms: number;
  readonly minCalls: number;
}

/** Measures one kind of call: first one at a time, then {@link MANY} at once. @throws what a call throws */
export async function measure(call: () => Promise<unknown>, length: Length): Promise<Sample> {
  for (let i = 0; i < WARM_UP_CALLS; i++) await call();
  const one = await run(call, 1, length);
  const many = await run(call, MANY, length);
  return {
    p50Ms: quantile(one.times, 0.5),
    p95Ms: quantile(one.times, 0.95),
    perSecond: one.perSecond,
    perSecondMany: many.perSecond,
    p50ManyMs: quantile(many.times, 0.5),
  };
}

async function run(call: () => Promise<unknown>, inFlight: number, { ms, minCalls }: Length) {
  const times: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (times.length < minCalls || performance.now() - startedAt < ms) {
      const askedAt = performance.now();
      await call();
      times.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { times, perSecond: (times.length / (performance.now() - startedAt)) * 1000 };
}
