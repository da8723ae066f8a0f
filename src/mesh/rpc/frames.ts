import { TabmeshError } from '../../lib/errors.ts';

/** MCP++ Profile E: a frame is a 4-byte unsigned big-endian length and that many bytes of UTF-8 JSON. */
const FRAME_HEADER_BYTES = 4;

/** MCP++ Profile E: 16 MiB of payload, header not counted. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/**
 * Puts the length header before a payload.
 * @throws `payload_too_large` over `maxBytes`
 */
export function encodeFrame(payload: Uint8Array, maxBytes = MAX_FRAME_BYTES): Uint8Array {
  if (payload.byteLength > maxBytes) throw frameTooLarge(payload.byteLength, maxBytes);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  new DataView(frame.buffer).setUint32(0, payload.byteLength);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into frames. The declared length is checked before anything is allocated for it, and a frame's
 * buffer grows only with bytes that really arrived.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** bytes held that are not yet a whole frame */
  get pendingBytes(): number {
    return this.#buffered;
  }

  /**
   * Takes the next bytes of the stream.
   * @returns the payloads that are complete now, in order
   * @throws `payload_too_large` when a declared length is over the limit: the stream cannot be trusted after that
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (chunk.byteLength > 0) {
      this.#chunks.push(chunk);
      this.#buffered += chunk.byteLength;
    }
    const frames: Uint8Array[] = [];
    for (;;) {
      if (this.#buffered < FRAME_HEADER_BYTES) return frames;
      const length = this.#peekLength();
      if (length > this.#maxBytes) throw frameTooLarge(length, this.#maxBytes);
      if (this.#buffered < FRAME_HEADER_BYTES + length) return frames;
      this.#take(FRAME_HEADER_BYTES);
      frames.push(this.#take(length));
    }
  }

  #peekLength(): number {
    let value = 0;
    let seen = 0;
    for (const chunk of this.#chunks) {
      for (let i = 0; i < chunk.byteLength && seen < FRAME_HEADER_BYTES; i++, seen++) {
        value = value * 256 + (chunk[i] ?? 0);
      }
      if (seen === FRAME_HEADER_BYTES) break;
    }
    return value;
  }

  #take(length: number): Uint8Array {
    this.#buffered -= length;
    const first = this.#chunks[0];
    if (first !== undefined && first.byteLength >= length) {
      const taken = first.subarray(0, length);
      if (first.byteLength === length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(length);
      return taken;
    }
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) throw new TabmeshError('internal', 'frame decoder ran out of bytes');
      const part = chunk.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength === chunk.byteLength) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.byteLength);
    }
    return out;
  }
}

function frameTooLarge(bytes: number, maxBytes: number): TabmeshError {
  return new TabmeshError('payload_too_large', `a frame of ${bytes} bytes is over the limit of ${maxBytes} bytes`, {
    hint: 'Ask for less at once, or send large content as blocks by CID.',
    details: { token: 'frame_too_large', bytes, maxBytes },
  });
}
