import type { PeerId } from '../../lib/ids.ts';

/** Weight of a new sample in the smoothed time of a tool at a place: the last dozen calls say how it is now. */
const WEIGHT = 0.2;
/** Fewer calls say nothing about a place. */
const MIN_SAMPLES = 3;
/** Fewer calls have no 95th percentile worth waiting for. */
const MIN_FOR_P95 = 20;
/** Samples that the percentile is taken of. */
const WINDOW = 100;
/** The percentile is taken anew after so many samples: it changes slowly, and sorting costs. */
const REFRESH = 16;
/** More tools than a room has; the one that was new first goes first. */
const MAX_TOOLS = 1000;
const HEDGE_QUANTILE = 0.95;
/** From here on a place counts as slower than others, not as one that varies. */
const SLOWER = 1.5;

interface Place {
  smoothedMs: number;
  samples: number;
}

/** How long one tool has taken lately, over all places and at each. */
export class ToolLatencies {
  readonly #window: number[] = [];
  readonly #places = new Map<PeerId, Place>();
  #added = 0;
  #p95: number | null = null;
  #fastest: Place | null = null;

  add(peer: PeerId, ms: number): void {
    this.#window[this.#added++ % WINDOW] = ms;
    const place = this.#places.get(peer) ?? { smoothedMs: ms, samples: 0 };
    place.smoothedMs += WEIGHT * (ms - place.smoothedMs);
    place.samples++;
    this.#places.set(peer, place);
    if (place.samples < MIN_SAMPLES) return;
    if (this.#fastest === null || place.smoothedMs <= this.#fastest.smoothedMs) this.#fastest = place;
    // the fastest has become slower: is it still?
    else if (this.#fastest === place) this.#findFastest();
  }

  /** How many times as long as at the fastest place; 1 when it is no slower, or one of the two is hardly known. */
  slowdown(peer: PeerId): number {
    if (this.#places.size < 2) return 1;
    const place = this.#places.get(peer);
    if (place === undefined || place.samples < MIN_SAMPLES || this.#fastest === null) return 1;
    // below a millisecond the clock counts, not the place
    const factor = place.smoothedMs / Math.max(1, this.#fastest.smoothedMs);
    return factor < SLOWER ? 1 : factor;
  }

  /** ms within which 95 of 100 calls ended; null while too few are known */
  p95(): number | null {
    if (this.#added < MIN_FOR_P95) return null;
    if (this.#p95 === null || this.#added % REFRESH === 0) {
      const sorted = [...this.#window].sort((a, b) => a - b);
      this.#p95 = sorted[Math.floor(sorted.length * HEDGE_QUANTILE)] ?? null;
    }
    return this.#p95;
  }

  keep(isHere: (peer: PeerId) => boolean): void {
    for (const peer of this.#places.keys()) if (!isHere(peer)) this.#places.delete(peer);
    this.#findFastest();
  }

  #findFastest(): void {
    this.#fastest = null;
    for (const place of this.#places.values()) {
      if (place.samples < MIN_SAMPLES) continue;
      if (this.#fastest === null || place.smoothedMs < this.#fastest.smoothedMs) this.#fastest = place;
    }
  }
}

/** {@link ToolLatencies} of every tool that was called. */
export class Latencies {
  readonly #tools = new Map<string, ToolLatencies>();

  /** undefined before its first call ended */
  of(tool: string): ToolLatencies | undefined {
    return this.#tools.get(tool);
  }

  add(tool: string, peer: PeerId, ms: number): void {
    let known = this.#tools.get(tool);
    if (known === undefined) {
      known = new ToolLatencies();
      this.#tools.set(tool, known);
      const [oldest] = this.#tools.keys();
      if (this.#tools.size > MAX_TOOLS && oldest !== undefined) this.#tools.delete(oldest);
    }
    known.add(peer, ms);
  }

  /** Forgets places that have left. */
  keep(isHere: (peer: PeerId) => boolean): void {
    for (const tool of this.#tools.values()) tool.keep(isHere);
  }
}
