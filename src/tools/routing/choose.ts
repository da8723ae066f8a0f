import type { PeerId } from '../../lib/ids.ts';
import type { Candidate } from './select.ts';

/** Less than what one call in flight makes: places this near to each other are as good as each other. */
const EQUAL_WITHIN = 4;

/** Where a call goes, and why there. */
export interface Choice {
  readonly candidate: Candidate;
  readonly why: string;
}

export interface ChooseOptions {
  /** the call asks for its place */
  readonly pinned: boolean;
  /** where the state of earlier calls is */
  readonly sticky: PeerId | undefined;
  /** 0 to 1 */
  readonly random: () => number;
}

/**
 * Takes the place of the highest score; among equals the less busy of two that are drawn (power of two choices,
 * Mitzenmacher 2001): if all callers took the same first of equals, they would flood it.
 * @param candidates best first
 * @returns undefined without candidates
 */
export function choosePlace(candidates: readonly Candidate[], options: ChooseOptions): Choice | undefined {
  const [best] = candidates;
  if (best === undefined) return undefined;
  if (options.pinned) return { candidate: best, why: 'the call asks for it' };
  const { sticky, random } = options;
  if (sticky !== undefined) {
    const keeper = candidates.find(({ place }) => place.peer === sticky);
    if (keeper !== undefined) return { candidate: keeper, why: 'it keeps what earlier calls have left there' };
  }
  if (candidates.length === 1) return { candidate: best, why: 'no other place can' };
  const equals = equalsOf(candidates, best.score - EQUAL_WITHIN);
  if (equals === 1) return { candidate: best, why: 'the highest score' };
  const first = draw(equals, random);
  const other = draw(equals - 1, random);
  const [a, b] = [candidates[first], candidates[other < first ? other : other + 1]];
  if (a === undefined || b === undefined) return { candidate: best, why: 'the highest score' };
  return { candidate: lighter(a, b), why: `the less busy of two drawn from ${String(equals)} that are as good` };
}

function equalsOf(candidates: readonly Candidate[], least: number): number {
  let count = 0;
  while ((candidates[count]?.score ?? -Infinity) >= least) count++;
  return count;
}

const draw = (n: number, random: () => number): number => Math.min(n - 1, Math.floor(random() * n));

function lighter(a: Candidate, b: Candidate): Candidate {
  const difference = a.input.inFlight - b.input.inFlight || (a.input.load ?? 0) - (b.input.load ?? 0);
  return difference > 0 ? b : a;
}
