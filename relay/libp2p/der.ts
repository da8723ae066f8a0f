/** The few types of DER (ITU-T X.690) that a certificate is made of. */

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;
const SEQUENCE = 0x30;
const SET = 0x31;
/** context-specific, constructed */
const EXPLICIT = 0xa0;

const encoded = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Uint8Array.of(tag), length(body), body]);

export const sequence = (...parts: readonly Uint8Array[]): Buffer => encoded(SEQUENCE, Buffer.concat(parts));
export const set = (...parts: readonly Uint8Array[]): Buffer => encoded(SET, Buffer.concat(parts));
export const explicit = (number: number, part: Uint8Array): Buffer => encoded(EXPLICIT + number, part);
export const utf8String = (text: string): Buffer => encoded(TAG.utf8String, Buffer.from(text));
/** @param time `YYMMDDHHMMSSZ` */
export const utcTime = (time: string): Buffer => encoded(TAG.utcTime, Buffer.from(time));
/** @param time `YYYYMMDDHHMMSSZ` */
export const generalizedTime = (time: string): Buffer => encoded(TAG.generalizedTime, Buffer.from(time));
/** whole bytes */
export const bitString = (bytes: Uint8Array): Buffer =>
  encoded(TAG.bitString, Buffer.concat([Uint8Array.of(0), bytes]));

/** @param bytes big-endian, of a number that is not negative */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start === -1 ? Uint8Array.of(0) : bytes.subarray(start);
  // a first bit of 1 would make it negative
  return encoded(TAG.integer, (short[0] ?? 0) < 0x80 ? short : Buffer.concat([Uint8Array.of(0), short]));
}

/** @param dotted e.g. `2.5.4.3` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const sevens = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      sevens.unshift((left & 0x7f) | 0x80);
    return sevens;
  });
  return encoded(TAG.oid, Uint8Array.from(arcs));
}

function length({ byteLength }: Uint8Array): Uint8Array {
  if (byteLength < 0x80) return Uint8Array.of(byteLength);
  const bytes: number[] = [];
  for (let left = byteLength; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}
