import type { CheckStatus, DoctorProbes, NotApplicable } from '../../contracts/doctor.ts';
import type { Json } from '../../contracts/workflow.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RelayAnswers } from './relay-answers.ts';

/** What a check has come to. */
export interface Finding {
  readonly status: CheckStatus;
  /** a sentence or two, in plain words */
  readonly reason: string;
  readonly advice: string | null;
  readonly details: Readonly<Record<string, Json>>;
}

/** What the checks of one examination work with. */
export interface Examination {
  readonly probes: DoctorProbes;
  /** asked once for all the checks that look at it */
  readonly relays: RelayAnswers;
  readonly clock: Clock;
}

/** One check: looks at one thing, and knows nothing of the others. It may throw. */
export type Check = (examination: Examination, signal: AbortSignal) => Promise<Finding>;

type Details = Finding['details'];

export const ok = (reason: string, details: Details = {}, advice: string | null = null): Finding => ({
  status: 'ok',
  reason,
  advice,
  details,
});
export const warning = (reason: string, advice: string | null, details: Details = {}): Finding => ({
  status: 'warning',
  reason,
  advice,
  details,
});
export const failed = (reason: string, advice: string | null, details: Details = {}): Finding => ({
  status: 'failed',
  reason,
  advice,
  details,
});
export const skipped = (reason: string): Finding => ({ status: 'skipped', reason, advice: null, details: {} });

/** Tells a probe's answer from its saying that there is nothing to answer. */
export function isNotApplicable(answer: unknown): answer is NotApplicable {
  return typeof answer === 'object' && answer !== null && 'skip' in answer;
}
