import { TabmeshError } from '../lib/errors.ts';
import { inOurWords, issueText, type Issue } from './issue-text.ts';
import { MAX_ARGUMENT_BYTES } from './limits.ts';
import * as z from './zod.ts';

/** Issues that an error lists: a person corrects a few at a time, and an answer with 10,000 wrong rows says it in ten. */
const MAX_ISSUES = 10;
/** Issues that the message spells out; `details.issues` has the others. */
const SPELT_OUT = 3;
/** With the type that it has: no arguments have no JSON. */
const stringify: (value: unknown) => string | undefined = JSON.stringify;
/** UTF-8 never takes more than three bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_CODE_UNIT = 3;

/**
 * Refuses arguments that are too large to carry, before anything looks into them.
 * @throws `payload_too_large` over {@link MAX_ARGUMENT_BYTES}, `invalid_input` when they have no JSON form
 */
export function checkArgumentsSize(tool: string, args: unknown): void {
  const bytes = jsonBytes(tool, args);
  if (bytes <= MAX_ARGUMENT_BYTES) return;
  throw new TabmeshError(
    'payload_too_large',
    `the arguments of ${tool} are ${String(bytes)} bytes as JSON; at most ${String(MAX_ARGUMENT_BYTES)} are accepted`,
    {
      hint: 'Store large data as a dataset and pass its CID.',
      details: { bytes, limit: MAX_ARGUMENT_BYTES },
    },
  );
}

/**
 * Reads arguments with a tool's input schema; no arguments at all count as `{}`.
 * @returns the arguments with defaults filled in
 * @throws `invalid_input` that names each field and what was expected; `details.issues` is `[{path, message}]`
 */
export function validateArguments<S extends z.ZodMiniObject>(tool: string, schema: S, args: unknown): z.output<S> {
  const outcome = z.safeParse(schema, args ?? {}, inOurWords);
  if (outcome.success) return outcome.data;
  const fields = Object.keys(schema.shape);
  const { issues, text } = readIssues(outcome.error.issues, fields, 'the arguments');
  throw new TabmeshError('invalid_input', `${tool}: ${text}`, {
    hint: fields.length === 0 ? `${tool} takes no arguments.` : `Correct the arguments: ${fieldList(schema)}.`,
    details: { issues },
  });
}

/**
 * Checks a tool's answer with its output schema.
 * @throws `invalid_output`; `details.issues` is `[{path, message}]`
 */
export function validateAnswer<S extends z.ZodMiniObject>(tool: string, schema: S, answer: unknown): z.output<S> {
  const outcome = z.safeParse(schema, answer, inOurWords);
  if (outcome.success) return outcome.data;
  const { issues, text } = readIssues(outcome.error.issues, Object.keys(schema.shape), 'the answer');
  throw new TabmeshError('invalid_output', `${tool} gave an answer that breaks its own description: ${text}`, {
    hint: 'This is a fault of the tool or of the peer that ran it, not of the arguments.',
    details: { issues },
  });
}

function readIssues(found: readonly z.core.$ZodIssue[], fields: readonly string[], whole: string) {
  const all = found.flatMap((issue) => issueText(issue, fields));
  const spelt = all.slice(0, SPELT_OUT).map(({ path, message }) => `${path === '' ? whole : path}: ${message}`);
  const more = all.length - spelt.length;
  const text = spelt.join('; ') + (more > 0 ? `; and ${String(more)} more` : '');
  const issues: readonly Issue[] = all.slice(0, MAX_ISSUES);
  return { issues, text };
}

function fieldList(schema: z.ZodMiniObject): string {
  return Object.entries(schema.shape)
    .map(([name, field]) => (field._zod.optin === undefined ? name : `${name} (optional)`))
    .join(', ');
}

function jsonBytes(tool: string, args: unknown): number {
  let json: string | undefined;
  try {
    json = stringify(args);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `the arguments of ${tool} have no JSON form`, {
      hint: 'Arguments are plain JSON: no cycles, no big integers, no functions.',
      cause,
    });
  }
  if (json === undefined) return 0;
  if (json.length * MAX_BYTES_PER_CODE_UNIT <= MAX_ARGUMENT_BYTES) return json.length;
  return new TextEncoder().encode(json).length;
}
