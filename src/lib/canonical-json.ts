import { TabmeshError } from './errors.ts';
import { isPlainMap } from './strict-map.ts';

export { parseStrictJson } from './strict-json.ts';

/** Deeper values are not written: what nests further is an attack on whoever reads it. */
const MAX_DEPTH = 128;
/** With the `u` flag a well-formed pair is one character, so this finds halves alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The canonical form of a JSON value (RFC 8785, JCS; `mcpp-jcs-v1` of MCP++): keys sorted by UTF-16 code units, numbers and
 * strings as ECMAScript writes them, −0 as 0, no white space. Two values are equal as JSON exactly when their forms are.
 *
 * Written here because what is on npm calls `toJSON`, leaves out `undefined` or lets lone surrogates pass: then two different
 * values share one form, and with it one signature.
 * @throws `invalid_input` that names the place, for anything that is not JSON: NaN and infinities, `undefined` (an absent
 *   field is left out by who makes the value), big integers, class instances, holes, lone surrogates, cycles
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', []);
}

function write(value: unknown, path: string, within: readonly object[]): string {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'string') return writeText(value, path);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(path, `${value} is no JSON number`);
    // ECMAScript's own form is the one that the RFC prescribes (§3.2.2.3), and writes −0 as 0
    return String(value);
  }
  if (typeof value !== 'object') throw refused(path, `a ${typeof value} is no JSON value`);
  if (within.includes(value)) throw refused(path, 'it contains itself');
  if (within.length === MAX_DEPTH) throw refused(path, `it nests more than ${MAX_DEPTH} deep`);
  const inside = [...within, value];
  if (Array.isArray(value)) {
    // not `map`, which leaves holes out
    return `[${Array.from(value, (item: unknown, i) => write(item, `${path}[${i}]`, inside)).join(',')}]`;
  }
  if (!isPlainMap(value)) throw refused(path, 'it is an object of a class');
  // the default order is that of UTF-16 code units
  const members = Object.keys(value)
    .sort()
    .map((key) => `${writeText(key, path)}:${write(value[key], `${path}.${key}`, inside)}`);
  return `{${members.join(',')}}`;
}

function writeText(text: string, path: string): string {
  if (LONE_SURROGATE.test(text)) throw refused(path, 'half a surrogate pair is no character');
  // escapes exactly what the RFC has escaped (§3.2.2.2), and in its way
  return JSON.stringify(text);
}

function refused(path: string, why: string): TabmeshError {
  return new TabmeshError('invalid_input', `the value has no canonical JSON form: ${path}: ${why}`, {
    details: { path, reason: why },
  });
}
