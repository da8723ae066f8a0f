import { TabmeshError } from './errors.ts';

export interface JsonLimits {
  /** arrays and objects within each other */
  readonly maxDepth: number;
  /** members of all objects together */
  readonly maxKeys: number;
}

/** Deeper than any document of ours, and far from the end of any stack. */
const MAX_DEPTH = 64;
/** A mebibyte of the smallest members there are would be twice as many. */
const MAX_KEYS = 65_536;
const DEFAULT_LIMITS: JsonLimits = { maxDepth: MAX_DEPTH, maxKeys: MAX_KEYS };

/** Longer integers are looked at digit by digit: every one of so many digits is exact in binary64. */
const SURELY_EXACT_DIGITS = 15;

const SPACE = /[ \t\n\r]*/y;
// eslint-disable-next-line no-control-regex -- control characters are what JSON forbids within strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a text was refused; in `details.reason` of the error. */
export type JsonFault = 'syntax' | 'duplicate_key' | 'lone_surrogate' | 'too_deep' | 'too_many_keys' | 'inexact_number';

/**
 * Reads JSON (RFC 8259) as strictly as I-JSON (RFC 7493) asks, so that no two readers can see two values in one text: what
 * `JSON.parse` would silently change is refused. A member named `__proto__` is an own field like any other.
 * @param text of bounded length: the caller has checked its bytes
 * @throws `invalid_input` with `details.reason` (a {@link JsonFault}) and `details.at`, the offset in UTF-16 code units: for a
 *   key given twice, a lone surrogate, an integer or number that binary64 cannot hold, too many keys, too deep nesting
 */
export function parseStrictJson(text: string, limits: JsonLimits = DEFAULT_LIMITS): unknown {
  const reader = new Reader(text, limits);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #keys = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  value(depth: number): unknown {
    this.#take(SPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#fault('syntax', 'something follows the value');
  }

  #object(depth: number): Record<string, unknown> {
    this.#enter(depth);
    const object: Record<string, unknown> = {};
    if (this.#closes('}')) return object;
    do {
      this.#take(SPACE);
      const key = this.#string();
      if (Object.hasOwn(object, key)) throw this.#fault('duplicate_key', `"${key.slice(0, 64)}" is given twice`);
      if (++this.#keys > this.#limits.maxKeys) {
        throw this.#fault('too_many_keys', `more than ${this.#limits.maxKeys} members`);
      }
      this.#take(SPACE);
      this.#expect(':');
      const value = this.value(depth);
      // an assignment to `__proto__` would change what the object inherits from
      if (key === '__proto__') {
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      } else object[key] = value;
    } while (this.#continues('}'));
    return object;
  }

  #array(depth: number): unknown[] {
    this.#enter(depth);
    const array: unknown[] = [];
    if (this.#closes(']')) return array;
    do array.push(this.value(depth));
    while (this.#continues(']'));
    return array;
  }

  #string(): string {
    const from = this.#at;
    let escaped = false;
    this.#expect('"');
    // in runs, not by one pattern: that would remember every character of a long string to go back to
    for (;;) {
      this.#take(PLAIN);
      if (this.#take(ESCAPE) === undefined) break;
      escaped = true;
    }
    this.#expect('"');
    const token = this.#text.slice(from, this.#at);
    const value = escaped ? (JSON.parse(token) as string) : token.slice(1, -1);
    if (LONE_SURROGATE.test(value)) throw this.#fault('lone_surrogate', 'half a surrogate pair is no character');
    return value;
  }

  #scalar(): unknown {
    const literal = this.#take(LITERAL);
    if (literal !== undefined) return literal === 'null' ? null : literal === 'true';
    const token = this.#take(NUMBER);
    if (token === undefined) throw this.#fault('syntax', 'a value is expected');
    const value = Number(token);
    if (!isHeld(token, value)) throw this.#fault('inexact_number', `${token.slice(0, 32)} has no exact binary64 form`);
    return value;
  }

  #enter(depth: number): void {
    if (depth > this.#limits.maxDepth) throw this.#fault('too_deep', `nests more than ${this.#limits.maxDepth} deep`);
    this.#at++;
  }

  /** Whether the object or array that has just begun is empty. */
  #closes(mark: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #continues(mark: string): boolean {
    if (this.#closes(mark)) return false;
    this.#expect(',');
    return true;
  }

  #expect(mark: string): void {
    if (this.#text[this.#at] !== mark) throw this.#fault('syntax', `"${mark}" is expected`);
    this.#at++;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.#at += token.length;
    return token;
  }

  #fault(reason: JsonFault, why: string): TabmeshError {
    return new TabmeshError('invalid_input', `not strict JSON at character ${this.#at}: ${why}`, {
      details: { reason, at: this.#at },
    });
  }
}

/**
 * Whether a number is what its text says. Fractions are rounded by all readers alike; integers are ids and amounts, so they are
 * exact, or the very digits in which ECMAScript writes a number beyond 2^53 (RFC 8785, appendix B).
 */
function isHeld(token: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (token.length <= SURELY_EXACT_DIGITS || /[.eE]/.test(token)) return true;
  return String(value) === token || BigInt(token) === BigInt(value);
}
