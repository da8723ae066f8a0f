import type { Stream } from '@libp2p/interface';

/** One end of a {@link streamPair}: what `frameStream` uses of a libp2p stream, with a hand on its reader. */
export interface PairedStream {
  readonly stream: Stream;
  /** bytes that this end has sent and the other has not read */
  readonly unread: number;
  /** the other end stops reading: `send` answers false once more than `highWater` bytes wait */
  hold(): void;
  /** it reads on */
  release(): void;
  readonly status: 'open' | 'closed' | 'aborted';
}

/** Two ends of a stream in memory. What one sends comes to the other in pieces of at most `pieceBytes`, a turn later. */
export function streamPair(options: { pieceBytes?: number; highWater?: number } = {}): [PairedStream, PairedStream] {
  const a = new End(options);
  const b = new End(options);
  a.other = b;
  b.other = a;
  return [a, b];
}

class End extends EventTarget implements PairedStream {
  other: End | undefined;
  status: 'open' | 'closed' | 'aborted' = 'open';
  readStatus: 'readable' | 'paused' = 'readable';
  writableNeedsDrain = false;
  readonly #pieceBytes: number;
  readonly #highWater: number;
  #held = false;
  #queue: Uint8Array[] = [];
  #unread = 0;
  #drained: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor({ pieceBytes = Infinity, highWater = Infinity }: { pieceBytes?: number; highWater?: number }) {
    super();
    this.#pieceBytes = pieceBytes;
    this.#highWater = highWater;
  }

  get stream(): Stream {
    return this as unknown as Stream;
  }

  get unread(): number {
    return this.#unread;
  }

  send(data: Uint8Array): boolean {
    if (this.status !== 'open') throw new Error('the stream is closed');
    for (let at = 0; at < data.byteLength; at += this.#pieceBytes) {
      this.#queue.push(data.slice(at, at + this.#pieceBytes));
    }
    this.#unread += data.byteLength;
    this.writableNeedsDrain = this.#unread > this.#highWater;
    queueMicrotask(() => {
      this.flush();
    });
    return !this.writableNeedsDrain;
  }

  onDrain(): Promise<void> {
    return this.writableNeedsDrain
      ? new Promise((resolve, reject) => this.#drained.push({ resolve, reject }))
      : Promise.resolve();
  }

  pause(): void {
    this.readStatus = 'paused';
  }

  resume(): void {
    this.readStatus = 'readable';
    this.other?.flush();
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  flush(): void {
    if (this.#held) return;
    while (this.#queue.length > 0 && this.other?.readStatus === 'readable') {
      const [piece = new Uint8Array()] = this.#queue.splice(0, 1);
      this.#unread -= piece.byteLength;
      if (this.other.status === 'open')
        this.other.dispatchEvent(withField('message', 'data', { byteLength: piece.byteLength, subarray: () => piece }));
    }
    if (this.#unread > 0) return;
    this.writableNeedsDrain = false;
    for (const { resolve } of this.#drained.splice(0)) resolve();
    if (this.status === 'closed') this.other?.remoteClosed();
  }

  close(): Promise<void> {
    if (this.status !== 'open') return Promise.resolve();
    this.status = 'closed';
    this.flush();
    return Promise.resolve();
  }

  abort(error: Error): void {
    if (this.status !== 'open') return;
    this.status = 'aborted';
    this.flush();
    for (const { reject } of this.#drained.splice(0)) reject(error);
    this.dispatchEvent(withField('close', 'error', error));
    queueMicrotask(() => this.other?.abort(new Error('reset by the other end')));
  }

  remoteClosed(): void {
    if (this.status === 'open') this.dispatchEvent(new Event('remoteCloseWrite'));
  }
}

function withField(type: string, field: string, value: unknown): Event {
  return Object.assign(new Event(type), { [field]: value });
}
