import type { Deadline } from '../../lib/deadline.ts';
import type { TabmeshError } from '../../lib/errors.ts';

/** The deadline of one of several tries that share one. */
export interface BranchDeadline extends Deadline {
  /** Ends this try alone; a second end changes nothing. */
  end(reason: TabmeshError): void;
}

/**
 * Branches a deadline off for one try. Whoever holds the whole must end its branches when it ends: a branch does not listen,
 * and so costs nearly nothing, which matters since nearly every branch is the only one.
 */
export function branchDeadline(whole: Deadline): BranchDeadline {
  let reason: TabmeshError | undefined;
  let controller: AbortController | undefined;
  let lose: ((error: TabmeshError) => void) | undefined;
  return {
    get signal() {
      controller ??= new AbortController();
      if (reason !== undefined) controller.abort(reason);
      return controller.signal;
    },
    reason: () => reason ?? whole.reason(),
    remaining: () => whole.remaining(),
    race<T>(work: Promise<T>) {
      return new Promise<T>((resolve, reject) => {
        if (reason !== undefined) reject(reason);
        else lose = reject;
        work.then(resolve, reject);
      });
    },
    end(given) {
      if (reason !== undefined) return;
      reason = given;
      controller?.abort(given);
      lose?.(given);
    },
    dispose: () => undefined,
  };
}
