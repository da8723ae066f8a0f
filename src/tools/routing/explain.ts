import type { RouteExplanation } from '../../contracts/tools.ts';
import type { TabmeshError } from '../../lib/errors.ts';
import type { Choice } from './choose.ts';
import { reasonsOf, type Candidate, type Selection } from './select.ts';

export type Failures = ReadonlyMap<Candidate, TabmeshError>;

/**
 * Says why a call runs where it runs. What it takes more than a few fields is made when somebody reads it: nearly every
 * call's explanation is read by nobody.
 * @param failed places that were tried before, as of now
 */
export function explainRoute(selection: Selection, choice: Choice, failed: Failures): RouteExplanation {
  const errors = failed.size === 0 ? failed : new Map(failed);
  let made: RouteExplanation['candidates'] | undefined;
  return {
    tool: selection.metadata.name,
    runtime: selection.metadata.runtime,
    chosen: choice.candidate.place,
    why: choice.why,
    ...warningsOf(selection),
    get candidates() {
      return (made ??= explainCandidates(selection, errors));
    },
  };
}

/** Every place that was looked at, best first. */
export function explainCandidates(selection: Selection, failed: Failures): RouteExplanation['candidates'] {
  const ranked = selection.candidates.map((candidate) => ({
    place: candidate.place,
    score: candidate.score,
    reasons: reasonsOf(candidate),
    excluded: failed.get(candidate)?.message ?? null,
  }));
  const others = selection.excluded().map(({ place, reason }) => ({ place, score: 0, reasons: [], excluded: reason }));
  return [...ranked, ...others];
}

/** How an answer was come by that was not asked for again. */
export function explainKept(route: RouteExplanation, answeredFrom: 'cache' | 'shared', why: string): RouteExplanation {
  const { tool, runtime, chosen, warnings } = route;
  const candidates = [{ place: chosen, score: 0, reasons: [why], excluded: null }];
  return { tool, runtime, chosen, why, answeredFrom, candidates, ...(warnings === undefined ? {} : { warnings }) };
}

export function warningsOf({ metadata: { name, deprecation } }: Selection): { readonly warnings?: readonly string[] } {
  return deprecation === null ? {} : { warnings: [`${name} is deprecated: ${deprecation}`] };
}
