import type { Clock } from '../../lib/clock.ts';
import type { RpcQuotas } from './quotas.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one peer may still ask of us: shared by all its streams and links, so that opening more buys nothing. */
export class PeerBudget {
  readonly #quotas: RpcQuotas;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  #streams = 0;
  #serving = 0;
  #buffered = 0;

  constructor(quotas: RpcQuotas, clock: Clock) {
    this.#quotas = quotas;
    this.#messages = new TokenBucket(quotas.messageBurst, quotas.messagesPerSecond, clock);
    this.#bytes = new TokenBucket(quotas.bytesPerSecond, quotas.bytesPerSecond, clock);
  }

  /** bytes of frames that have begun and not ended */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /** Counts a message. False when it is one too many, or its bytes are. */
  takeMessage(bytes: number): boolean {
    return this.#messages.take(1) && this.#bytes.take(bytes);
  }

  /** Takes a place for a stream, to be given back with {@link closeStream}. False when all are taken. */
  openStream(): boolean {
    if (this.#streams >= this.#quotas.streams) return false;
    this.#streams++;
    return true;
  }

  closeStream(): void {
    this.#streams--;
  }

  /** Takes a place for a request, to be given back with {@link endRequest}. False when all are taken. */
  beginRequest(): boolean {
    if (this.#serving >= this.#quotas.inFlight) return false;
    this.#serving++;
    return true;
  }

  endRequest(): void {
    this.#serving--;
  }

  /** Counts bytes of unfinished frames that came (or, below 0, were done with). False when there are too many now. */
  buffer(change: number): boolean {
    this.#buffered += change;
    return change <= 0 || this.#buffered <= this.#quotas.bufferedBytes;
  }
}
