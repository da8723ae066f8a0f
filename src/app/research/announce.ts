import type { RunState } from '../../contracts/workflow.ts';
import { plural } from '../ui/format.ts';
import { runCount } from './run-outcome.ts';
import type { RunView } from './run-progress.ts';

/** Progress is read out at these parts of a step: often enough to know that it moves, seldom enough to be borne. */
const SPOKEN_PARTS = 4;

/**
 * What a screen reader says of a run under way. The text stays the same between two quarters of a step, so that a live
 * region announces a change of step and each quarter, and nothing in between.
 */
export function spokenProgress(view: RunView): string {
  const { current, steps } = view;
  if (current === null) return '';
  const where = `Step ${current.ordinal} of ${steps.length}: ${current.name}`;
  if (current.fraction === null) return where;
  const quarter = Math.floor(current.fraction * SPOKEN_PARTS);
  return quarter === 0 ? where : `${where}, ${(quarter * 100) / SPOKEN_PARTS} percent`;
}

/**
 * What a screen reader says when a run has ended; null for one that failed, whose error is an alert.
 * @param name of the run, as it is shown
 */
export function spokenEnd(run: RunState, name: string): string | null {
  if (run.status === 'cancelled') return `${name}: cancelled`;
  if (run.status !== 'completed') return null;
  const count = runCount(run);
  return count === null ? `${name}: done` : `${name}: done, ${plural(count, 'record')}`;
}
