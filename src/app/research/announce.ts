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
