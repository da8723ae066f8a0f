import type { ErrorCode, WireError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import type { Json, RunState } from '../../contracts/workflow.ts';
import { plural } from '../ui/format.ts';

/** What was asked for when a collection was started. */
export interface CollectInputs {
  readonly query: string;
  readonly maxResults: number | null;
}

/** Reads a run's inputs; runs that an older version stored may lack some. */
export function collectInputs(inputs: Json): CollectInputs {
  const query = member(inputs, 'query');
  const max = member(inputs, 'max_results');
  return {
    query: typeof query === 'string' ? query : '',
    maxResults: typeof max === 'number' ? max : null,
  };
}

/** The dataset that a run made, if it did: its result, or what a failed run kept. */
export function runDataset(run: RunState): CidString | null {
  if (run.status === 'completed') return cid(member(run.result, 'dataset'));
  if (run.status === 'failed') return cid(run.error.details['dataset']);
  return null;
}

/** How many records a completed run stored; null when it does not say. */
export function runCount(run: RunState): number | null {
  if (run.status !== 'completed') return null;
  const count = member(run.result, 'records');
  return typeof count === 'number' ? count : null;
}

/** How PubMed understood the query, where a finished run says so. */
export function runTranslation(run: RunState): string | null {
  if (run.status !== 'completed') return null;
  const translation = member(run.result, 'query_translation');
  return typeof translation === 'string' && translation !== '' ? translation : null;
}

/** A failed run told to a person. */
export interface Failure {
  readonly happened: string;
  /** null where the error does not say */
  readonly kept: string | null;
  readonly advice: string;
}

/** Says what happened, what was kept and what to do about a failed collection. */
export function explainFailure(error: WireError): Failure {
  const fetched = error.details['fetched'];
  return {
    happened: sentence(error.message),
    kept: keptSentence(typeof fetched === 'number' ? fetched : null, cid(error.details['dataset']) !== null),
    advice: error.hint === null ? advice(error) : sentence(error.hint),
  };
}

function keptSentence(records: number | null, stored: boolean): string | null {
  if (records === null) return stored ? 'What was fetched before is kept as a dataset.' : null;
  if (records <= 0) return 'Nothing had been fetched, and nothing was stored.';
  const amount = plural(records, 'record');
  return stored
    ? `The ${amount} fetched before are kept as a dataset.`
    : `${amount} had been fetched, but could not be stored.`;
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  upstream_throttled: 'PubMed asks to slow down. Wait a minute, then try again.',
  upstream_unreachable: 'Check the connection to the relay, then try again.',
  upstream_malformed: 'The service answered something unexpected. Try again later, or with fewer records.',
  quota_exceeded: 'Delete datasets you no longer need, or free space on this device.',
  invalid_input: 'Change the query and start again.',
  cancelled: 'Start it again when you like.',
};

function advice(error: WireError): string {
  return ADVICE[error.code] ?? (error.retryable ? 'Try again.' : 'Change the query or the number, and start again.');
}

/** A capital at the beginning and a stop at the end. */
function sentence(text: string): string {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

function cid(value: unknown): CidString | null {
  return typeof value === 'string' && value !== '' ? (value as CidString) : null;
}

function member(value: Json, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json>>)[key];
}

/** True while a run has not ended. */
export function isUnderWay(run: RunState): boolean {
  return run.status === 'created' || run.status === 'running';
}
