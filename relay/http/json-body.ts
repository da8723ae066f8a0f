import type { FastifyInstance } from 'fastify';
import { TabmeshError } from '../../src/lib/errors.ts';
import { parseStrictJson } from '../../src/lib/strict-json.ts';

/** The one key that assigns a prototype instead of a member, when somebody later copies members one by one. */
const FORBIDDEN_KEY = '__proto__';

/**
 * Reads a request's JSON: no key twice, no `__proto__`, bounded depth and number of keys.
 * @param text of bounded length
 * @throws `invalid_input`
 */
export function readJsonBody(text: string): unknown {
  const value = parseStrictJson(text);
  // without a name for it in the text, escaped or not, there is none in the value
  if ((text.includes(FORBIDDEN_KEY) || text.includes('\\u')) && hasForbiddenKey(value)) {
    throw new TabmeshError('invalid_input', `a field must not be called ${FORBIDDEN_KEY}`);
  }
  return value;
}

/** Has this scope read its JSON bodies so. @param limit bytes */
export function strictJson(app: FastifyInstance, limit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: limit }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : readJsonBody(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasForbiddenKey);
  return Object.hasOwn(value, FORBIDDEN_KEY) || Object.values(value).some(hasForbiddenKey);
}
