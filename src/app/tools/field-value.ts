import type { Json } from '../../contracts/workflow.ts';
import type { Field, FieldKind } from './schema-field.ts';

/** What stands in one field: always text, as the person typed it; booleans and choices as JSON. */
export interface FieldState {
  readonly text: string;
  /** send null instead */
  readonly isNull: boolean;
}

/** `value` is undefined when the property is left out. */
export type FieldReading =
  { readonly ok: true; readonly value: Json | undefined } | { readonly ok: false; readonly error: string };

/** A JSON number (RFC 8259 §6), with the leniency that people expect: a leading plus, a bare decimal point. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Reads one field. Bounds and kinds are checked here, with words for people; the rest is for the full check. */
export function readValue(field: Field, state: FieldState): FieldReading {
  if (state.isNull && field.nullable) return { ok: true, value: null };
  const { kind } = field;
  if (kind.type === 'text') return readText(field, kind, state.text);
  const typed = state.text.trim();
  if (typed === '') return field.required ? { ok: false, error: 'Required.' } : { ok: true, value: undefined };
  switch (kind.type) {
    case 'number':
      return readNumber(kind, typed);
    case 'boolean':
      return typed === 'true' || typed === 'false'
        ? { ok: true, value: typed === 'true' }
        : { ok: false, error: 'Choose yes or no.' };
    case 'choice':
      return readChoice(kind, typed);
    case 'json':
      return readJson(kind, typed);
  }
}

type Kind<T extends FieldKind['type']> = Extract<FieldKind, { type: T }>;

function readText(field: Field, kind: Kind<'text'>, typed: string): FieldReading {
  if (typed === '' && !field.required) return { ok: true, value: undefined };
  if (typed === '' && kind.minLength > 0) return { ok: false, error: 'Required.' };
  // JSON Schema counts characters as code points
  const { length } = Array.from(typed);
  if (length < kind.minLength) return { ok: false, error: `At least ${kind.minLength} characters.` };
  if (kind.maxLength !== null && length > kind.maxLength) {
    return { ok: false, error: `At most ${kind.maxLength} characters; these are ${length}.` };
  }
  return { ok: true, value: typed };
}

function readNumber(kind: Kind<'number'>, typed: string): FieldReading {
  const value = NUMBER.test(typed) ? Number(typed) : NaN;
  if (!Number.isFinite(value)) return { ok: false, error: 'Not a number.' };
  if (kind.integer && !Number.isSafeInteger(value)) return { ok: false, error: 'A whole number is needed.' };
  if (kind.minimum !== null && value < kind.minimum) return { ok: false, error: `At least ${kind.minimum}.` };
  if (kind.maximum !== null && value > kind.maximum) return { ok: false, error: `At most ${kind.maximum}.` };
  return { ok: true, value };
}

function readChoice(kind: Kind<'choice'>, typed: string): FieldReading {
  const option = kind.options.find((each) => JSON.stringify(each) === typed);
  return option === undefined ? { ok: false, error: 'Choose one of the list.' } : { ok: true, value: option };
}

function readJson(kind: Kind<'json'>, typed: string): FieldReading {
  try {
    return { ok: true, value: JSON.parse(typed) as Json };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    return { ok: false, error: `Not valid JSON (${reason}). Expected ${kind.expects}.` };
  }
}
