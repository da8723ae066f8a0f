import type { Action, Json } from '../contracts/workflow.ts';
import { isWireError, TabmeshError, type WireError } from '../lib/errors.ts';

/** The workflow actions that belong to no domain. */
export interface WorkflowActions {
  /**
   * `{failure, kept, result}` → `result`. When an earlier step noted a failure but let the run go on, so that what it had
   * could be kept, this ends the run with that failure; its details gain the fields of `kept`.
   */
  readonly 'run.finish': Action;
}

/** Builds the actions. */
export function createWorkflowActions(): WorkflowActions {
  return {
    'run.finish': (inputs) => Promise.resolve().then(() => finish(inputs)),
  };
}

function finish(inputs: Json): Json {
  const { failure, kept, result } = fieldsOf(inputs);
  if (failure === undefined || failure === null) return result ?? null;
  if (!isWireError(failure)) throw new TabmeshError('invalid_input', 'run.finish was given a failure that is no error');
  const error: WireError = failure;
  throw TabmeshError.fromWire({ ...error, details: { ...error.details, ...fieldsOf(kept ?? null) } });
}

function fieldsOf(value: Json): Readonly<Record<string, Json | undefined>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, Json>>;
  }
  return {};
}
