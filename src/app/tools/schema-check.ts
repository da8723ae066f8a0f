import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';
import type { JsonSchema } from './schema-field.ts';

/** The validator that interprets schemas: the page's policy forbids those that generate code. */
const validator = new CfWorkerJsonSchemaValidator();

/**
 * Checks a value against a JSON Schema of any peer.
 * @returns what is wrong, in words; null when the value fits. A schema that the validator cannot read
 * refuses nothing: the place that runs the tool checks again.
 */
export function checkSchema(schema: JsonSchema, value: unknown): string | null {
  try {
    const result = validator.getValidator(schema)(value);
    return result.valid ? null : inWords(result.errorMessage, schema);
  } catch (error) {
    // unknown dialect or unresolved reference: not the caller's fault, and not checkable here
    console.warn('a tool schema cannot be checked in the app', error);
    return null;
  }
}

/** The validator's message without its pointer (`#/0: …`), and without the pattern, which is no help to a person. */
function inWords(message: string, { description }: JsonSchema): string {
  const text = message.replace(/^#\S*: /, '');
  if (!text.includes('does not match pattern')) return text;
  return typeof description === 'string'
    ? `Not of the form that is expected: ${description}.`
    : 'Not of the form that is expected.';
}
