import type { Outcome, PeerQuery, PeerRecord, PeerRegistry, PeerSource } from '../../contracts/discovery.ts';
import { done } from './outcome.ts';

/** A registry that its owner turns on and off while the room is open; what is behind it need not be loaded before. */
export class SwitchedRegistry implements PeerRegistry {
  readonly name: PeerSource;
  #behind: PeerRegistry | null = null;

  constructor(name: PeerSource) {
    this.name = name;
  }

  /** @param registry null turns it off */
  use(registry: PeerRegistry | null): void {
    this.#behind = registry;
  }

  available(): boolean {
    return this.#behind?.available() ?? false;
  }

  async register(record: PeerRecord, signal: AbortSignal): Promise<Outcome<boolean>> {
    return (await this.#behind?.register(record, signal)) ?? done(false);
  }

  async discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    return (await this.#behind?.discover(query, signal)) ?? done([]);
  }

  async update(...args: Parameters<PeerRegistry['update']>): Promise<Outcome<boolean>> {
    return (await this.#behind?.update(...args)) ?? done(false);
  }

  async cleanup(signal: AbortSignal): Promise<Outcome<number>> {
    return (await this.#behind?.cleanup(signal)) ?? done(0);
  }
}
