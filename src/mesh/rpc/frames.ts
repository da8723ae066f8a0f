import type { TabmeshError } from '../../lib/errors.ts';
import { refusal } from './tokens.ts';

/** MCP++ Profile E: a frame is a 4-byte unsigned big-endian length and that many bytes of UTF-8 JSON. */
const FRAME_HEADER_BYTES = 4;

/** MCP++ Profile E: 16 MiB of payload, header not counted. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** What a frame that comes in pieces gets to begin with: a piece of a data channel, of Yamux or of a WebSocket. */
const FIRST_CAPACITY_BYTES = 64 * 1024;

const NO_BYTES = new Uint8Array(0);
const encoder = new TextEncoder();

/** What a frame is made of: bytes, the parts of them in order, or text. */
export type FramePayload = Uint8Array | readonly Uint8Array[] | string;

/**
 * Puts the length header before a payload. Parts are put together, and text is encoded as UTF-8, right in their place behind
 * the header.
 * @throws `payload_too_large` over `maxBytes`; `protocol_error` for what is none of these
 */
export function encodeFrame(payload: FramePayload, maxBytes = MAX_FRAME_BYTES): Uint8Array {
  if (typeof payload === 'string') return encodeText(payload, maxBytes);
  const parts = Array.isArray(payload) ? (payload as readonly Uint8Array[]) : [payload as Uint8Array];
  let bytes = 0;
  for (const part of parts) {
    // it may come from untyped code: a typed array of another kind has another length than it seems
    if (!((part as unknown) instanceof Uint8Array)) throw refusal('frame_not_bytes', 'a frame is made of bytes');
    bytes += part.byteLength;
  }
  const frame = openFrame(bytes, maxBytes);
  let at = FRAME_HEADER_BYTES;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}

function encodeText(text: string, maxBytes: number): Uint8Array {
  // nearly all of ours is ASCII: then each character is a byte, and there is one allocation and no copy
  if (text.length <= maxBytes) {
    const frame = openFrame(text.length, maxBytes);
    const { read, written } = encoder.encodeInto(text, frame.subarray(FRAME_HEADER_BYTES));
    if (read === text.length && written === text.length) return frame;
  }
  return encodeFrame(encoder.encode(text), maxBytes);
}

/** A frame's buffer with its header in place. */
function openFrame(bytes: number, maxBytes: number): Uint8Array {
  if (bytes > maxBytes) throw frameTooLarge('frame_too_large', bytes, maxBytes);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + bytes);
  frame[0] = bytes >>> 24;
  frame[1] = bytes >>> 16;
  frame[2] = bytes >>> 8;
  frame[3] = bytes;
  return frame;
}

/**
 * Cuts a byte stream into frames. The declared length is checked before anything is allocated for it. What arrives whole is
 * passed on without a copy; what arrives in pieces is gathered in one buffer that doubles with the bytes that really came, so
 * that neither a declared length nor a million pieces of a byte each cost more than twice what was sent.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  /** of the frame that is being gathered; its header has been read */
  #body = NO_BYTES;
  #length = 0;
  #filled = 0;

  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** bytes that were taken and are not yet part of a whole frame */
  get pendingBytes(): number {
    return this.#headerFilled + this.#filled;
  }

  /** bytes that this decoder occupies for them */
  get heldBytes(): number {
    return this.#headerFilled + this.#body.byteLength;
  }

  /**
   * Takes the next bytes of the stream. Frames of `chunk` may be views of it: it must not be written to afterwards.
   * @returns the payloads that are complete now, in order
   * @throws `payload_too_large` when a declared length is over the limit: the stream cannot be trusted after that
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.byteLength || this.#isComplete()) {
      at += this.#readHeader(chunk, at);
      if (this.#headerFilled < FRAME_HEADER_BYTES) break;
      const left = chunk.byteLength - at;
      if (this.#filled === 0 && left >= this.#length) {
        frames.push(chunk.subarray(at, at + this.#length));
        at += this.#length;
        this.#reset();
        continue;
      }
      at += this.#gather(chunk.subarray(at, at + this.#length - this.#filled));
      if (!this.#isComplete()) break;
      frames.push(this.#body.subarray(0, this.#length));
      this.#reset();
    }
    return frames;
  }

  /**
   * Call when the stream has ended.
   * @throws `protocol_error` when it ended inside a frame
   */
  end(): void {
    if (this.pendingBytes === 0) return;
    throw this.#headerFilled < FRAME_HEADER_BYTES
      ? refusal('incomplete_prefix', 'the stream ended inside the length of a frame')
      : refusal('incomplete_frame', `the stream ended ${this.#length - this.#filled} bytes before its frame did`);
  }

  #isComplete(): boolean {
    return this.#headerFilled === FRAME_HEADER_BYTES && this.#filled === this.#length;
  }

  /** @returns the bytes of `chunk` that it took */
  #readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#headerFilled < FRAME_HEADER_BYTES && at < chunk.byteLength) {
      this.#header[this.#headerFilled++] = chunk[at++] ?? 0;
      if (this.#headerFilled < FRAME_HEADER_BYTES) continue;
      const [a = 0, b = 0, c = 0, d = 0] = this.#header;
      this.#length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      if (this.#length > this.#maxBytes) {
        throw frameTooLarge('declared_frame_too_large', this.#length, this.#maxBytes);
      }
    }
    return at - from;
  }

  #gather(piece: Uint8Array): number {
    const needed = this.#filled + piece.byteLength;
    if (needed > this.#body.byteLength) {
      const capacity = Math.max(FIRST_CAPACITY_BYTES, 2 * this.#body.byteLength, needed);
      const larger = new Uint8Array(Math.min(this.#length, capacity));
      larger.set(this.#body.subarray(0, this.#filled));
      this.#body = larger;
    }
    this.#body.set(piece, this.#filled);
    this.#filled = needed;
    return piece.byteLength;
  }

  #reset(): void {
    this.#body = NO_BYTES;
    this.#headerFilled = 0;
    this.#length = 0;
    this.#filled = 0;
  }
}

function frameTooLarge(
  token: 'frame_too_large' | 'declared_frame_too_large',
  bytes: number,
  maxBytes: number,
): TabmeshError {
  return refusal(token, `a frame of ${bytes} bytes is over the limit of ${maxBytes} bytes`, {
    hint: 'Ask for less at once, or send large content as blocks by CID.',
    details: { bytes, maxBytes },
  });
}
