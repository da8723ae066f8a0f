import type { Json } from '../../contracts/workflow.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** How a property is entered. `json` takes whatever the others cannot: arrays, objects, unions. */
export type FieldKind =
  | { readonly type: 'text'; readonly minLength: number; readonly maxLength: number | null; readonly long: boolean }
  | {
      readonly type: 'number';
      readonly integer: boolean;
      readonly minimum: number | null;
      readonly maximum: number | null;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly options: readonly Json[] }
  | { readonly type: 'json'; readonly expects: string };

/** One property of a tool's input, ready to be shown as a field. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly description: string | null;
  readonly required: boolean;
  /** null may be sent instead of a value */
  readonly nullable: boolean;
  /** what the tool assumes when the property is left out; undefined when it does not say */
  readonly fallback: Json | undefined;
  readonly kind: FieldKind;
  /** the property's own schema, without null */
  readonly schema: JsonSchema;
}

/** A text whose limit is above this gets several lines. */
const LONG_TEXT = 300;

/**
 * Reads one property of an object schema (JSON Schema 2020-12).
 * @param name the property
 * @param schema its schema, with `$ref`s already resolved
 * @param required whether the object requires it
 */
export function readField(name: string, schema: JsonSchema, required: boolean): Field {
  const { inner, nullable } = withoutNull(schema);
  return {
    name,
    label: text(schema['title']) ?? text(inner['title']) ?? labelOf(name),
    description: text(schema['description']) ?? text(inner['description']),
    required,
    nullable,
    fallback: (schema['default'] ?? inner['default']) as Json | undefined,
    kind: kindOf(inner),
    schema: inner,
  };
}

function kindOf(schema: JsonSchema): FieldKind {
  const options = enumOf(schema);
  if (options !== null) return { type: 'choice', options };
  switch (schema['type']) {
    case 'string': {
      const maxLength = number(schema['maxLength']);
      return {
        type: 'text',
        minLength: number(schema['minLength']) ?? 0,
        maxLength,
        long: maxLength !== null && maxLength > LONG_TEXT && schema['format'] === undefined,
      };
    }
    case 'number':
    case 'integer':
      return {
        type: 'number',
        integer: schema['type'] === 'integer',
        minimum: shownBound(schema['minimum']),
        maximum: shownBound(schema['maximum']),
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'array':
      return { type: 'json', expects: 'a list, such as ["a", "b"]' };
    case 'object':
      return { type: 'json', expects: 'an object, such as {"key": "value"}' };
    default:
      return { type: 'json', expects: 'any JSON value' };
  }
}

/** `enum`, or `anyOf`/`oneOf` of constants alone. */
function enumOf(schema: JsonSchema): readonly Json[] | null {
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) return schema['enum'] as Json[];
  if ('const' in schema) return [schema['const'] as Json];
  const branches = branchesOf(schema);
  if (branches === null || branches.length === 0 || !branches.every((branch) => 'const' in branch)) return null;
  return branches.map((branch) => branch['const'] as Json);
}

/** Takes null out of the ways JSON Schema has to say "or null". */
function withoutNull(schema: JsonSchema): { inner: JsonSchema; nullable: boolean } {
  const { type } = schema;
  if (Array.isArray(type) && type.includes('null')) {
    const rest = type.filter((each) => each !== 'null');
    const enumerated: unknown = schema['enum'];
    return {
      inner: {
        ...schema,
        type: rest.length === 1 ? rest[0] : rest,
        ...(Array.isArray(enumerated) ? { enum: enumerated.filter((each) => each !== null) } : {}),
      },
      nullable: true,
    };
  }
  const branches = branchesOf(schema);
  if (branches === null) return { inner: schema, nullable: false };
  const rest = branches.filter((branch) => branch['type'] !== 'null');
  if (rest.length === branches.length) return { inner: schema, nullable: false };
  const [only] = rest;
  const outer = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'anyOf' && key !== 'oneOf'));
  return { inner: rest.length === 1 && only ? { ...only, ...outer } : { ...outer, anyOf: rest }, nullable: true };
}

function branchesOf(schema: JsonSchema): readonly JsonSchema[] | null {
  const branches: unknown = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(branches) && branches.every(isSchema) ? branches : null;
}

/** True for a schema that is an object (not `true` or `false`). */
export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** "max_results" and "maxResults" become "Max results". */
function labelOf(name: string): string {
  const words = name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Bounds at the edge of the safe integers say "any integer" and are not worth showing. */
function shownBound(value: unknown): number | null {
  const bound = number(value);
  return bound === null || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? null : bound;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}
