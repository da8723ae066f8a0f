import type { CidString, RunId } from '../lib/ids.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { Json } from '../contracts/workflow.ts';
import { parseCid } from './codec.ts';
import { fields, list, nullable, text, word, type Shape } from './shape.ts';

/** Inputs of the action `dataset.write`. */
export interface WriteInputs {
  /** addresses of `RecordBatch` blocks; deleted when the action has ended */
  readonly batches: readonly CidString[];
  readonly name: string;
  /** what produced it: the workflow's id */
  readonly tool: string;
  readonly query: string;
  readonly query_translation: string | null;
  readonly source: 'pubmed';
  readonly missing: readonly string[];
  /** URLs asked, one list for each step that asked */
  readonly requests: readonly (readonly string[])[];
  readonly parser_version: string;
  /** ISO 8601, UTC */
  readonly started_at: string;
  /** why the collection stopped early; null when it is complete */
  readonly failure: Json;
  readonly run_id: RunId;
}

const cid: Shape<CidString> = (value, path) => parseCid(text(value, path)).toString() as CidString;
const anything: Shape<Json> = (value) => value as Json;

const writeInputs = fields<WriteInputs>({
  batches: list(cid),
  name: text,
  tool: text,
  query: text,
  query_translation: nullable(text),
  source: word('pubmed'),
  missing: list(text),
  requests: list(list(text)),
  parser_version: text,
  started_at: text,
  failure: anything,
  run_id: text as Shape<RunId>,
});

/** Checks the inputs of `dataset.write`. @throws `invalid_input` */
export function readWriteInputs(inputs: Json): WriteInputs {
  try {
    return writeInputs(inputs, 'inputs');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', `dataset.write cannot use its inputs: ${why}`, { cause });
  }
}
