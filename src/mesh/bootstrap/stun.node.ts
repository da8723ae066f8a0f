import { randomBytes } from 'node:crypto';

/** https://www.rfc-editor.org/rfc/rfc8489#section-5 */
const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAPPED_ADDRESS = 0x0001;
const XOR_MAPPED_ADDRESS = 0x0020;
const IPV4 = 0x01;
const IPV6 = 0x02;

/** A STUN Binding request; `id` tells its answer from others. */
export function bindingRequest(): { readonly id: Buffer; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(BINDING_REQUEST, 0);
  bytes.writeUInt32BE(MAGIC_COOKIE, 4);
  const id = randomBytes(12);
  id.copy(bytes, 8);
  return { id, bytes };
}

/** The address that the server saw, of an answer to the request with this id; undefined for any other datagram. */
export function readBindingAnswer(
  bytes: Buffer,
  id: Buffer,
): { readonly address: string; readonly port: number } | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== BINDING_SUCCESS) return undefined;
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE || !bytes.subarray(8, HEADER_BYTES).equals(id)) return undefined;
  const end = Math.min(bytes.length, HEADER_BYTES + bytes.readUInt16BE(2));
  let plain: ReturnType<typeof readAddress>;
  for (let at = HEADER_BYTES; at + 4 <= end;) {
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    const value = bytes.subarray(at + 4, Math.min(end, at + 4 + length));
    if (type === XOR_MAPPED_ADDRESS) return readAddress(value, bytes.subarray(4, HEADER_BYTES));
    if (type === MAPPED_ADDRESS) plain = readAddress(value, Buffer.alloc(16));
    // attributes are padded to 32 bits
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return plain;
}

/** @param mask cookie and transaction id, which the address is hidden with from meddling routers */
function readAddress(value: Buffer, mask: Buffer): { readonly address: string; readonly port: number } | undefined {
  const family = value[1];
  const size = family === IPV4 ? 4 : family === IPV6 ? 16 : 0;
  if (size === 0 || value.length < 4 + size) return undefined;
  const port = value.readUInt16BE(2) ^ mask.readUInt16BE(0);
  const bytes = Buffer.from(value.subarray(4, 4 + size).map((byte, index) => byte ^ (mask[index] ?? 0)));
  if (size === 4) return { address: [...bytes].join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return { address: new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1), port };
}
