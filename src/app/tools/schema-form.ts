import type { Json } from '../../contracts/workflow.ts';
import { isSchema, readField, type Field, type JsonSchema } from './schema-field.ts';
import { readValue, type FieldState } from './field-value.ts';

/**
 * A full JSON Schema check, given from outside so that this module stays pure.
 * @returns what is wrong, or null
 */
export type SchemaCheck = (schema: JsonSchema, value: unknown) => string | null;

/** A tool's input as a form. */
export interface Form {
  readonly schema: JsonSchema;
  /** one field a property; null when the schema is not a plain object: its arguments are entered as JSON text */
  readonly fields: readonly Field[] | null;
}

/** What stands in the fields; `whole` is the JSON text where there are no fields. */
export interface FormState {
  readonly fields: Readonly<Record<string, FieldState>>;
  readonly whole: string;
}

export type FormResult =
  | { readonly ok: true; readonly args: Json }
  | {
      readonly ok: false;
      /** by property */
      readonly errors: Readonly<Record<string, string>>;
      /** what concerns no single field */
      readonly general: string | null;
    };

/** Schemas that combine others cannot be shown as a list of fields. */
const COMBINING = ['anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref', 'patternProperties', 'propertyNames'] as const;

/** Makes a form of a tool's input schema (JSON Schema 2020-12). */
export function makeForm(schema: JsonSchema): Form {
  const properties: unknown = schema['properties'];
  const plain = schema['type'] === 'object' && !COMBINING.some((keyword) => keyword in schema);
  if (!plain || (!isSchema(properties) && schema['additionalProperties'] !== false)) return { schema, fields: null };
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  return {
    schema,
    fields: Object.entries(isSchema(properties) ? properties : {}).map(([name, property]) =>
      readField(name, resolve(schema, property), required.has(name)),
    ),
  };
}

/**
 * The state of an untouched form: what the schema says as defaults, or the given arguments.
 * @param args values to start from, e.g. those of an earlier call
 */
export function startState(form: Form, args: Readonly<Record<string, Json>> = {}): FormState {
  return {
    whole: form.fields === null ? JSON.stringify(args, null, 2) : '',
    fields: Object.fromEntries(
      (form.fields ?? []).map((field) => [
        field.name,
        stateOf(field, Object.hasOwn(args, field.name) ? args[field.name] : field.fallback),
      ]),
    ),
  };
}

/**
 * Reads the arguments out of a form. What it gives fits the schema; optional fields left empty are left out.
 * @param check the full check, for what single fields cannot tell (patterns, items, references)
 */
export function readForm(form: Form, state: FormState, check: SchemaCheck): FormResult {
  if (form.fields === null) return readWhole(form.schema, state.whole, check);
  const errors: Record<string, string> = {};
  const args: [string, Json][] = [];
  for (const field of form.fields) {
    const read = readValue(field, state.fields[field.name] ?? { text: '', isNull: false });
    if (!read.ok) {
      errors[field.name] = read.error;
      continue;
    }
    if (read.value === undefined) continue;
    const wrong = read.value === null ? null : check(withDefs(form.schema, field.schema), read.value);
    if (wrong !== null) errors[field.name] = wrong;
    else args.push([field.name, read.value]);
  }
  if (Object.keys(errors).length > 0) return { ok: false, errors, general: null };
  const value = Object.fromEntries(args);
  const general = check(form.schema, value);
  return general === null ? { ok: true, args: value } : { ok: false, errors, general };
}

function readWhole(schema: JsonSchema, text: string, check: SchemaCheck): FormResult {
  let args: Json;
  try {
    args = JSON.parse(text) as Json;
  } catch (error) {
    return {
      ok: false,
      errors: {},
      general: `Not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    };
  }
  const general = check(schema, args);
  return general === null ? { ok: true, args } : { ok: false, errors: {}, general };
}

function stateOf(field: Field, value: Json | undefined): FieldState {
  // a checkbox has no third position: where a boolean is required it starts at "no"
  if (value === undefined)
    return { text: field.kind.type === 'boolean' && field.required ? 'false' : '', isNull: false };
  if (value === null && field.nullable) return { text: '', isNull: true };
  return {
    text: field.kind.type === 'text' && typeof value === 'string' ? value : JSON.stringify(value),
    isNull: false,
  };
}

/** A property by reference (`#/$defs/…`) is shown as what it refers to; the words beside the reference win. */
function resolve(root: JsonSchema, property: unknown): JsonSchema {
  if (!isSchema(property)) return {};
  const ref = property['$ref'];
  if (typeof ref !== 'string' || !ref.startsWith('#/$defs/')) return property;
  const defs: unknown = root['$defs'];
  const target = isSchema(defs) ? defs[ref.slice('#/$defs/'.length)] : undefined;
  const words = Object.fromEntries(Object.entries(property).filter(([key]) => key !== '$ref'));
  return isSchema(target) ? { ...target, ...words } : property;
}

function withDefs(root: JsonSchema, schema: JsonSchema): JsonSchema {
  return '$defs' in root ? { ...schema, $defs: root['$defs'] } : schema;
}
