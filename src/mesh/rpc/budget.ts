import type { Clock } from '../../lib/clock.ts';
import type { RpcQuotas } from './quotas.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one member may still ask of us: shared by all its streams and links, so that opening more buys nothing. */
export class PeerBudget {
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #inFlight: number;
  #serving = 0;

  constructor(quotas: RpcQuotas, clock: Clock) {
    this.#messages = new TokenBucket(quotas.messageBurst, quotas.messagesPerSecond, clock);
    this.#bytes = new TokenBucket(quotas.bytesPerSecond, quotas.bytesPerSecond, clock);
    this.#inFlight = quotas.inFlight;
  }

  /** Counts a message. False when it is one too many, or its bytes are. */
  takeMessage(bytes: number): boolean {
    return this.#messages.take(1) && this.#bytes.take(bytes);
  }

  /** Takes a place for a request, to be given back with {@link endRequest}. False when all are taken. */
  beginRequest(): boolean {
    if (this.#serving >= this.#inFlight) return false;
    this.#serving++;
    return true;
  }

  endRequest(): void {
    this.#serving--;
  }
}
