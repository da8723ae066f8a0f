import type { Json } from '../contracts/workflow.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { RunId, StepId } from '../lib/ids.ts';

/** What the placeholders of a run can name. */
export interface PlaceholderScope {
  readonly inputs: Json;
  readonly run: {
    readonly id: RunId;
    /** ISO 8601, UTC */
    readonly started_at: string;
  };
  /** results of the steps that have completed */
  readonly results: ReadonlyMap<StepId, Json>;
}

/** A placeholder of a template. */
export interface Placeholder {
  readonly text: string;
  /** the step whose result it names; null for inputs and run */
  readonly step: StepId | null;
}

type Reference =
  | { readonly root: 'inputs'; readonly path: readonly string[] }
  | { readonly root: 'run'; readonly key: 'id' | 'started_at' }
  | { readonly root: 'step'; readonly step: StepId; readonly path: readonly string[] };

/** Only a string that is a placeholder from end to end is one: text that mentions `${…}` stays text. */
const PLACEHOLDER = /^\$\{([^{}]*)\}$/;

/**
 * All placeholders of a template, depth first; in objects the values only.
 * @throws `invalid_input` for one that names nothing there is
 */
export function placeholdersIn(template: Json): readonly Placeholder[] {
  if (typeof template === 'string') {
    const reference = parse(template);
    if (reference === null) return [];
    return [{ text: template, step: reference.root === 'step' ? reference.step : null }];
  }
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap((value) => placeholdersIn(value));
}

/**
 * Replaces the placeholders of a template by the values they name, typed. What was put in is not looked at again, so a
 * value that reads like a placeholder stays as it is.
 * @throws `invalid_input` when a placeholder names a value that is not there
 */
export function substitute(template: Json, scope: PlaceholderScope): Json {
  if (typeof template === 'string') {
    const reference = parse(template);
    return reference === null ? template : resolve(template, reference, scope);
  }
  if (typeof template !== 'object' || template === null) return template;
  if (isList(template)) return template.map((item) => substitute(item, scope));
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, substitute(value, scope)]));
}

function parse(text: string): Reference | null {
  const inner = PLACEHOLDER.exec(text)?.[1];
  if (inner === undefined) return null;
  const [root, ...path] = inner.split('.');
  if (path.every((part) => part !== '')) {
    if (root === 'inputs') return { root, path };
    const [first, second, ...rest] = path;
    if (root === 'run' && path.length === 1 && (first === 'id' || first === 'started_at')) return { root, key: first };
    if (root === 'steps' && first !== undefined && second === 'result') {
      return { root: 'step', step: first as StepId, path: rest };
    }
  }
  throw new TabmeshError('invalid_input', `the placeholder ${text} names nothing`, {
    hint: 'Use ${inputs.name}, ${run.id}, ${run.started_at} or ${steps.id.result}, and dots for what is below.',
  });
}

function resolve(text: string, reference: Reference, scope: PlaceholderScope): Json {
  if (reference.root === 'run') return scope.run[reference.key];
  let value = reference.root === 'inputs' ? scope.inputs : scope.results.get(reference.step);
  for (const part of reference.path) value = member(value, part);
  if (value === undefined) {
    throw new TabmeshError('invalid_input', `there is no value for the placeholder ${text}`, {
      details: { placeholder: text },
    });
  }
  return value;
}

/** A value's own member; nothing is inherited, and a list's members are its items and its `length`. */
function member(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isList(value)) return key === 'length' ? value.length : /^\d+$/.test(key) ? value[Number(key)] : undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** `Array.isArray` does not narrow a readonly array away. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
