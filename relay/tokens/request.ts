import { ACCESS_CLASSES, DEFAULT_CLASSES, type TokenRequest } from '../../src/contracts/access.ts';
import type { AccessClass, TokenScope } from '../../src/contracts/tools.ts';
import { TabmeshError } from '../../src/lib/errors.ts';

const MAX_NAME_LENGTH = 80;
/** More names than a room has tools that anybody would pick out one by one. */
const MAX_TOOLS = 64;
/** As MCP's tool names: what any peer may call its tools. */
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
/** The fastest that a minute's rate can mean anything over: a call each 60 µs. */
const MAX_PER_MINUTE = 1_000_000;

/** A {@link TokenRequest} that has been checked, with its defaults. */
export interface CheckedRequest extends TokenScope {
  readonly name: string;
  readonly perMinute: number | null;
}

/** Who wants a new token; it gets no more than it has itself. */
export interface Maker {
  readonly scope: TokenScope;
  readonly perMinute: number | null;
}

/**
 * Reads a request for a token as it came over HTTP, the mesh or the command line.
 * @param value anything at all
 * @param now ms since the epoch
 * @throws `invalid_input` that names the field in `details.issues`
 */
export function readTokenRequest(value: unknown, now: number): CheckedRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad('', 'expected an object with the name of the token');
  }
  const { name, classes, tools, perMinute, expiresAt, ...unknown } = value as Record<keyof TokenRequest, unknown>;
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) throw bad(stray.slice(0, 40), 'is not a known field');
  return {
    name: nameOf(name),
    classes: classesOf(classes ?? DEFAULT_CLASSES),
    tools: toolsOf(tools ?? null),
    perMinute: rateOf(perMinute ?? null),
    expiresAt: expiryOf(expiresAt ?? null, now),
  };
}

/**
 * Refuses a request for more than its maker has: no token makes a wider one.
 * @throws `forbidden`
 */
export function checkAttenuates(request: CheckedRequest, { scope, perMinute }: Maker): void {
  const wider =
    request.classes.some((name) => !scope.classes.includes(name)) ||
    (scope.tools !== null && (request.tools?.some((name) => !scope.tools?.includes(name)) ?? true)) ||
    (scope.expiresAt !== null && (request.expiresAt === null || request.expiresAt > scope.expiresAt)) ||
    (perMinute !== null && (request.perMinute === null || request.perMinute > perMinute));
  if (!wider) return;
  throw new TabmeshError('forbidden', 'a token cannot make one that may do more than itself', {
    hint: 'Ask for fewer classes, fewer tools, a lower rate or an earlier expiry, or use the owner token.',
  });
}

function nameOf(value: unknown): string {
  const name = typeof value === 'string' ? value.trim() : '';
  if (name !== '' && name.length <= MAX_NAME_LENGTH && !/\p{C}/u.test(name)) return name;
  throw bad('name', `expected 1 to ${MAX_NAME_LENGTH} characters, none of them a control character`);
}

function classesOf(value: unknown): readonly AccessClass[] {
  const known = ACCESS_CLASSES.filter((name) => Array.isArray(value) && value.includes(name));
  if (Array.isArray(value) && value.length > 0 && known.length === new Set(value).size) return known;
  throw bad('classes', `expected a list with at least one of ${ACCESS_CLASSES.join(', ')}`);
}

function toolsOf(value: unknown): readonly string[] | null {
  if (value === null) return null;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_TOOLS;
  if (isList && value.every((name): name is string => typeof name === 'string' && TOOL_NAME.test(name))) {
    return [...new Set(value)].sort();
  }
  throw bad('tools', `expected a list of 1 to ${MAX_TOOLS} names of tools, or null for all`);
}

function rateOf(value: unknown): number | null {
  if (value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_PER_MINUTE) return value;
  throw bad('perMinute', `expected a whole number from 1 to ${MAX_PER_MINUTE}, or null for the relay's own limit`);
}

function expiryOf(value: unknown, now: number): number | null {
  if (value === null) return null;
  // 8.64e15 ms is the last time that a date can tell (ECMA-262 §21.4.1.1)
  if (typeof value === 'number' && Number.isInteger(value) && value > now && value <= 8.64e15) return value;
  throw bad('expiresAt', 'expected a time to come, in ms since the epoch, or null for none');
}

function bad(path: string, message: string): TabmeshError {
  return new TabmeshError('invalid_input', path === '' ? message : `${path}: ${message}`, {
    details: { issues: [{ path, message }] },
  });
}
