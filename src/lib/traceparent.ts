/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): which calls of several processes belong together. Only the
 * `traceparent` is carried on; nothing here collects or sends traces.
 */
export interface Trace {
  /** 32 hexadecimal digits, the same over every hop */
  readonly id: string;
  /** 16 hexadecimal digits, of the hop that sent it */
  readonly parent: string;
  /** two hexadecimal digits */
  readonly flags: string;
}

/** Of the key in MCP's `_meta` (revision 2026-07-28) and of the HTTP header. */
export const TRACEPARENT = 'traceparent';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const SPAN_BYTES = 8;
const ID_BYTES = 16;
/** Not sampled: whether anybody records is not ours to ask. */
const NO_FLAGS = '00';
/** §3.2.2: version, trace id, parent id, flags; versions after 00 may add more behind a dash. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`. @returns undefined for anything that is none, which §3.2.2 tells to ignore */
export function parseTraceparent(value: unknown): Trace | undefined {
  const [, version, id = '', parent = '', flags = '', more] = FORM.exec(typeof value === 'string' ? value : '') ?? [];
  const bad = version === undefined || version === 'ff' || (version === '00' && more !== undefined);
  if (bad || /^0+$/.test(id) || /^0+$/.test(parent)) return undefined;
  return { id, parent, flags };
}

/** A trace that begins here. */
export function newTrace(): Trace {
  return { id: randomHex(ID_BYTES), parent: randomHex(SPAN_BYTES), flags: NO_FLAGS };
}

/** The same trace as the next hop is to see it: with this hop as the parent. */
export function nextHop(trace: Trace): Trace {
  return { ...trace, parent: randomHex(SPAN_BYTES) };
}

/** The text that travels. */
export function formatTraceparent({ id, parent, flags }: Trace): string {
  return `00-${id}-${parent}-${flags}`;
}

/** Random bytes are had in one go for many ids: asking for eight costs as much as for a thousand. */
const pool = new Uint8Array(2048);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let text = '';
  for (const end = used + bytes; used < end; used++) text += HEX[pool[used] ?? 0] ?? '';
  return text;
}
