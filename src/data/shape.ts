import { TabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { asLink } from './codec.ts';

/**
 * Checks a decoded value of a foreign block and returns it typed, or throws: `corrupt` when it is not what the format
 * says, `format_newer` when it could be what a later version of this app writes.
 * @param path where the value is, for the message
 */
export type Shape<T> = (value: unknown, path: string) => T;

/** A string. */
export const text: Shape<string> = (value, path) => (typeof value === 'string' ? value : wrong(path, 'a string'));

/** True or false. */
export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrong(path, 'true or false');

/** A whole number, not negative, that a double holds exactly. */
export const count: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(path, 'a count');

/** An IPLD link, read as the address it holds. */
export const address: Shape<CidString> = (value, path) => asLink(value) ?? wrong(path, 'a link');

/** A web address: what the app makes a link of, so no other scheme (`javascript:`) may pass. */
export const webUrl: Shape<string> = (value, path) =>
  typeof value === 'string' && /^https?:\/\/\S+$/.test(value) ? value : wrong(path, 'a web address');

/** The given shape, or null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** An array of the given shape. */
export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, path) =>
    Array.isArray(value) ? value.map((item, index) => shape(item, `${path}[${index}]`)) : wrong(path, 'a list');
}

/** One of a set of words that later versions may add to. */
export function word<const W extends string>(...known: readonly W[]): Shape<W> {
  return (value, path) => {
    const found = known.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    return typeof value === 'string' ? newer(`${path} is "${value.slice(0, 40)}"`) : wrong(path, 'a word');
  };
}

/**
 * A map with exactly these fields. A field too many is taken for a later version's: dropping it would give the value
 * another address when it is written again.
 */
export function fields<T extends object>(shapes: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const names = Object.keys(shapes) as (keyof T & string)[];
  return (value, path) => {
    const map = asMap(value, path);
    const result: Partial<T> = {};
    for (const name of names) {
      if (!Object.hasOwn(map, name)) return wrong(`${path}.${name}`, 'present');
      result[name] = shapes[name](map[name], `${path}.${name}`);
    }
    const extra = Object.keys(map).find((key) => !Object.hasOwn(shapes, key));
    return extra === undefined ? (result as T) : newer(`${path} has a field "${extra.slice(0, 40)}"`);
  };
}

/** A block that says its format and version, checked before anything else of it is looked at. */
export function versioned<T extends { readonly format: string; readonly version: number }>(
  format: T['format'],
  version: T['version'],
  shapes: { readonly [K in Exclude<keyof T, 'format' | 'version'>]-?: Shape<T[K]> },
): Shape<T> {
  const rest = fields<Omit<T, 'format' | 'version'>>(shapes);
  return (value, path) => {
    const { format: itsFormat, version: itsVersion, ...others } = asMap(value, path);
    if (itsFormat !== format) return wrong(path, `of the format ${format}`);
    if (typeof itsVersion === 'number' && itsVersion > version) return newer(`${path} has version ${itsVersion}`);
    if (itsVersion !== version) return wrong(path, `of version ${version}`);
    return { format, version, ...rest(others, path) } as unknown as T;
  };
}

function asMap(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  if (!isMap || asLink(value) !== undefined) return wrong(path, 'a map');
  return value as Readonly<Record<string, unknown>>;
}

function wrong(path: string, expected: string): never {
  throw new TabmeshError('corrupt', `stored data does not decode: ${path} is not ${expected}`, { details: { path } });
}

function newer(what: string): never {
  throw new TabmeshError('format_newer', `this was stored by a newer version of the app: ${what}`, {
    hint: 'Update this app to open it.',
  });
}
