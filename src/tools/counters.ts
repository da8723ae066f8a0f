import type { CallCounters } from '../contracts/tools.ts';
import { createListeners } from '../lib/listeners.ts';

/** {@link CallCounters} with the side that counts. */
export interface CallTally extends CallCounters {
  count(tool: string): void;
}

/** Makes counters that start at nothing. */
export function createCallTally(): CallTally {
  const counts = new Map<string, number>();
  const listeners = createListeners();
  return {
    served: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    subscribe: (listener) => listeners.add(listener),
    count(tool) {
      counts.set(tool, (counts.get(tool) ?? 0) + 1);
      listeners.notify();
    },
  };
}
