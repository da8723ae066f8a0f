import type { Json } from '../contracts/workflow.ts';
import { TabmeshError } from '../lib/errors.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A check of one keyword: says what is wrong with the value, or nothing. Only values of its type are given to it. */
type Check = (value: Json, expected: unknown, path: string, schema: Schema) => string | null;

const TYPES: Readonly<Record<string, (value: Json) => boolean>> = {
  object: (value) => isObject(value),
  array: (value) => Array.isArray(value),
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

/**
 * The keywords of JSON Schema 2020-12 that an input schema may use: enough for a run's parameters. Any other is refused
 * when the definition is checked, so none is silently ignored.
 */
const CHECKS: Readonly<Record<string, Check>> = {
  $schema: () => null,
  title: () => null,
  description: () => null,
  default: () => null,
  type: (value, expected, path) => {
    const matches = TYPES[String(expected)]?.(value) ?? false;
    return matches ? null : `${path} is not of type ${String(expected)}`;
  },
  enum: (value, expected, path) =>
    (expected as readonly Json[]).includes(value) ? null : `${path} is none of ${JSON.stringify(expected)}`,
  minLength: (value, expected, path) =>
    typeof value === 'string' && codePoints(value) < Number(expected)
      ? `${path} is shorter than ${String(expected)} characters`
      : null,
  maxLength: (value, expected, path) =>
    typeof value === 'string' && codePoints(value) > Number(expected)
      ? `${path} is longer than ${String(expected)} characters`
      : null,
  minimum: (value, expected, path) =>
    typeof value === 'number' && value < Number(expected) ? `${path} is below ${String(expected)}` : null,
  maximum: (value, expected, path) =>
    typeof value === 'number' && value > Number(expected) ? `${path} is above ${String(expected)}` : null,
  items: (value, expected, path) => {
    if (!Array.isArray(value)) return null;
    return firstProblem(value.map((item: Json, index) => problemOf(item, expected as Schema, `${path}[${index}]`)));
  },
  required: (value, expected, path) => {
    if (!isObject(value)) return null;
    const lacking = (expected as readonly string[]).find((name) => !Object.hasOwn(value, name));
    return lacking === undefined ? null : `${path}.${lacking} is missing`;
  },
  properties: (value, expected, path) => {
    if (!isObject(value)) return null;
    const schemas = Object.entries(expected as Readonly<Record<string, Schema>>);
    return firstProblem(
      schemas.map(([name, schema]) =>
        Object.hasOwn(value, name) ? problemOf(value[name] ?? null, schema, `${path}.${name}`) : null,
      ),
    );
  },
  additionalProperties: (value, expected, path, schema) => {
    if (expected !== false || !isObject(value)) return null;
    const known = (schema['properties'] ?? {}) as Readonly<Record<string, unknown>>;
    const extra = Object.keys(value).find((name) => !Object.hasOwn(known, name));
    return extra === undefined ? null : `${path} has an unknown field "${extra}"`;
  },
};

/** Checks that a schema uses only what {@link checkInputs} understands. @throws `invalid_input` */
export function checkSchema(schema: Schema): void {
  for (const [keyword, value] of Object.entries(schema)) {
    if (!Object.hasOwn(CHECKS, keyword)) throw unsupported(`the keyword "${keyword}"`);
    if (keyword === 'type' && !Object.hasOwn(TYPES, String(value))) throw unsupported(`the type ${String(value)}`);
    if (keyword === 'items') checkSchema(value as Schema);
    if (keyword === 'properties') Object.values(value as Readonly<Record<string, Schema>>).forEach(checkSchema);
  }
}

/** Checks a run's inputs. @throws `invalid_input` that names the field */
export function checkInputs(inputs: Json, schema: Schema): void {
  const problem = problemOf(inputs, schema, 'inputs');
  if (problem !== null) throw new TabmeshError('invalid_input', problem);
}

function problemOf(value: Json, schema: Schema, path: string): string | null {
  return firstProblem(
    Object.entries(schema).map(([keyword, expected]) => CHECKS[keyword]?.(value, expected, path, schema) ?? null),
  );
}

function firstProblem(problems: readonly (string | null)[]): string | null {
  return problems.find((problem) => problem !== null) ?? null;
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What JSON Schema counts as a string's characters. */
function codePoints(text: string): number {
  return Array.from(text).length;
}

function unsupported(what: string): TabmeshError {
  return new TabmeshError('invalid_input', `an input schema cannot use ${what}`);
}
