import type { RunState, RunStore } from '../contracts/workflow.ts';
import { toTabmeshError, type WireError } from '../lib/errors.ts';
import type { RunId } from '../lib/ids.ts';
import { foldRun } from './fold.ts';

/** A run whose events cannot be read: damaged, or of a newer version of the app. */
export interface UnreadableRun {
  readonly runId: RunId;
  readonly error: WireError;
}

export interface History {
  /** in the store's order; `events` is how many were folded */
  readonly runs: readonly { readonly state: RunState; readonly events: number }[];
  readonly unreadable: readonly UnreadableRun[];
}

/**
 * Reads all stored runs; one that cannot be read does not keep the others away.
 * @throws `storage_failed` when the store itself fails; `signal.reason`
 */
export async function loadRuns(store: RunStore, signal?: AbortSignal): Promise<History> {
  const runs: { state: RunState; events: number }[] = [];
  const unreadable: UnreadableRun[] = [];
  for (const runId of await store.list()) {
    signal?.throwIfAborted();
    try {
      const events = await store.events(runId);
      runs.push({ state: foldRun(events), events: events.length });
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      // deleted by another tab since it was listed
      if (error.code === 'not_found') continue;
      if (error.code !== 'corrupt' && error.code !== 'format_newer') throw error;
      unreadable.push({ runId, error: error.toWire() });
    }
  }
  return { runs, unreadable };
}
