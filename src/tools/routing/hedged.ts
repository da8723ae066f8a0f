import { runAfter, type Clock } from '../../lib/clock.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { branchDeadline, type BranchDeadline } from './branch-deadline.ts';

/** One try; it ends with its deadline. */
export type Try<T> = (deadline: Deadline) => Promise<T>;

export interface HedgeOptions {
  /** when the second begins, ms from now */
  readonly afterMs: number;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

/**
 * Begins a second try when the first takes too long, and takes whichever succeeds first (Dean and Barroso, "The Tail at
 * Scale", 2013); the other is stopped. For work that bears to be begun twice.
 * @param second asked when the time has come; undefined when there is nowhere else to go
 * @throws the first failure when both fail, or when the first fails alone; the deadline's reason
 */
export async function hedged<T>(
  first: Try<T>,
  second: () => Try<T> | undefined,
  { afterMs, clock, deadline }: HedgeOptions,
): Promise<T> {
  const running = new Set<BranchDeadline>();
  let takeBack: () => void = () => undefined;
  const work = new Promise<T>((resolve, reject) => {
    let failure: TabmeshError | undefined;
    const begin = (one: Try<T>) => {
      const branch = branchDeadline(deadline);
      running.add(branch);
      one(branch).then(
        (value) => {
          running.delete(branch);
          resolve(value);
        },
        (error: unknown) => {
          running.delete(branch);
          failure ??= toTabmeshError(error, 'tool_failed');
          if (running.size === 0) reject(failure);
        },
      );
    };
    begin(first);
    takeBack = runAfter(clock, afterMs, () => {
      const other = second();
      if (other !== undefined) begin(other);
    });
  });
  try {
    return await deadline.race(work);
  } finally {
    takeBack();
    for (const branch of running) branch.end(deadline.reason() ?? faster());
  }
}

const faster = (): TabmeshError => new TabmeshError('cancelled', 'another place was faster');
