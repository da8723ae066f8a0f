import type * as z from './zod.ts';

/** One thing wrong with a value: where, and what was expected, in words. */
export interface Issue {
  /** `max_results`, `hits[2].title`; empty for the value as a whole */
  readonly path: string;
  readonly message: string;
}

type SchemaIssue = z.core.$ZodIssue;

/** The text of an issue whose schema has nothing better to say; see {@link inOurWords}. */
const NO_TEXT = 'Invalid input';
/** Longest piece of a refused text that is shown back: enough to recognise it. */
const SHOWN_CHARS = 40;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/**
 * Options of a parse whose issues {@link issueText} is to put into words. Zod's locale is one for the whole process: whoever
 * else loads Zod there (the MCP SDK does) would otherwise decide what our errors say, and a relay would say other than a tab.
 */
export const inOurWords = { reportInput: true, error: () => NO_TEXT } as const;

/**
 * Puts a schema's issue into words.
 * @param fields names of the fields that the whole value may have, to be named when one is unknown
 * @returns one issue, or one for each unknown key
 */
export function issueText(issue: SchemaIssue, fields: readonly string[]): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? knownFields(fields) : '';
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key.slice(0, SHOWN_CHARS)]),
      message: `is not a known field${known}`,
    }));
  }
  return [{ path: pathText(issue.path), message: expectation(issue) }];
}

function knownFields(fields: readonly string[]): string {
  return fields.length === 0 ? '; there are no fields' : `; the fields are ${fields.join(', ')}`;
}

function expectation(issue: SchemaIssue): string {
  if (issue.message !== NO_TEXT) return `${issue.message}, got ${shown(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is required: expected ${typeName(issue.expected)}`
        : `expected ${typeName(issue.expected)}, got ${shown(issue.input)}`;
    case 'too_small':
      return `expected ${bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')}, got ${size(issue)}`;
    case 'too_big':
      return `expected ${bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')}, got ${size(issue)}`;
    case 'invalid_value':
      return `expected ${oneOf(issue.values)}, got ${shown(issue.input)}`;
    case 'invalid_union':
      return unionText(issue);
    default:
      return `is not valid: got ${shown(issue.input)}`;
  }
}

function unionText(issue: z.core.$ZodIssueInvalidUnion): string {
  if ('options' in issue && Array.isArray(issue.options)) return `expected ${oneOf(issue.options)}`;
  const types = issue.errors.map(([first]) =>
    first?.code === 'invalid_type' && first.path.length === 0 ? typeName(first.expected) : null,
  );
  return types.length > 0 && types.every((type) => type !== null)
    ? `expected ${types.join(' or ')}, got ${shown(issue.input)}`
    : 'has none of the allowed forms';
}

function bound(origin: string, limit: number | bigint, comparison: string): string {
  const amount = `${comparison} ${String(limit)}`;
  const one = Number(limit) === 1;
  if (origin === 'string') return `${amount} ${one ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `${amount} ${one ? 'item' : 'items'}`;
  return amount;
}

function size(issue: { readonly input?: unknown }): string {
  const { input } = issue;
  if (typeof input === 'string') return input === '' ? 'an empty text' : String(input.length);
  return Array.isArray(input) ? String(input.length) : shown(input);
}

function oneOf(values: readonly unknown[]): string {
  const [first, ...rest] = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  return rest.length === 0 ? String(first) : `one of ${[first, ...rest].join(', ')}`;
}

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null ? 'null' : 'an object';
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${String(part)}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
