import type { EmbedderInfo } from '../../contracts/search.ts';

/** Turns text into a vector whose direction says what the text is about. */
export interface Embedder {
  /** goes with every vector; vectors of another id or version cannot be compared with these */
  readonly info: EmbedderInfo;
  /** @returns `info.dimension` finite numbers of length 1, or all 0 for a text without words */
  embed(text: string): Float32Array;
}
