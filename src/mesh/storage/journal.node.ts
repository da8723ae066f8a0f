import { crc32 } from 'node:zlib';
import { TabmeshError } from '../../lib/errors.ts';

/**
 * Framing of an append-only file. A frame is
 * `magic(4) length(4) crc of these 8(4) crc of the payload(4) payload`, integers big-endian. Only the last frame can
 * be one whose writer was cut off, so damage there is a torn write and damage before it is a broken disk.
 */
const MAGIC = 0x544d4a31; // "TMJ1"
const HEADER_BYTES = 16;

/** Frames one payload. @param payload at least one byte */
export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.byteLength);
  frame.writeUInt32BE(MAGIC, 0);
  frame.writeUInt32BE(payload.byteLength, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  frame.writeUInt32BE(crc32(payload), 12);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Reads all whole frames.
 * @param file whole content of the file
 * @param name of the file, for messages
 * @returns the payloads in order, and the length up to which the file is whole: what follows was cut off while written
 * @throws `corrupt` when something before the last frame is damaged
 */
export function decodeFrames(file: Buffer, name: string): { payloads: Buffer[]; wholeBytes: number } {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at < file.length) {
    const header = readHeader(file, at);
    if (header === undefined) {
      // a file system may extend a file before it writes the bytes: zeros to the end are a torn write too
      if (file.length - at < HEADER_BYTES || isZero(file.subarray(at))) break;
      throw damaged(name, at);
    }
    const end = at + HEADER_BYTES + header.length;
    if (end > file.length) break;
    const payload = file.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== header.crc) {
      if (end === file.length) break;
      throw damaged(name, at);
    }
    payloads.push(payload);
    at = end;
  }
  return { payloads, wholeBytes: at };
}

function readHeader(file: Buffer, at: number): { length: number; crc: number } | undefined {
  if (file.length - at < HEADER_BYTES) return undefined;
  if (file.readUInt32BE(at) !== MAGIC) return undefined;
  if (crc32(file.subarray(at, at + 8)) !== file.readUInt32BE(at + 8)) return undefined;
  return { length: file.readUInt32BE(at + 4), crc: file.readUInt32BE(at + 12) };
}

const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0);

function damaged(name: string, at: number): TabmeshError {
  return new TabmeshError('corrupt', `${name} is damaged at byte ${at}`, {
    hint: 'Restore the data folder from a backup, or remove it and join the room again.',
  });
}
