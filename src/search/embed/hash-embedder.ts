import { STOP_WORDS } from '../text/stopwords.ts';
import { tokenize } from '../text/tokenize.ts';
import type { Embedder } from './embedder.ts';

/** The usual size of small sentence embedders, so that one of those can take this one's place. */
const DIMENSION = 384;

/**
 * Components that each term adds to. 4 and 16 rank alike on Cranfield (nDCG@10 within 0.01) and 4 is four times as
 * fast; with 1 two frequent terms that share a component would look alike.
 */
const COMPONENTS_PER_TERM = 4;

/**
 * An embedder that needs no download and no fitting: stemmed terms are hashed and their counts projected to 384
 * dimensions by a sparse matrix of random signs that the hashes stand for (Weinberger et al., "Feature Hashing for
 * Large Scale Multitask Learning", 2009; Li, Hastie and Church, "Very Sparse Random Projections", 2006).
 *
 * It depends on the text alone, so every device gives the same vector, and no vector changes as the collection grows.
 * That is why it has no document frequencies: with those of the collection, nDCG@10 on Cranfield was 0.015 higher and
 * recall@100 0.02 lower. Word pairs and character n-grams were tried as well and gain nothing.
 */
export const hashEmbedder: Embedder = {
  info: { id: 'hash-rp', version: 1, dimension: DIMENSION, normalised: true },
  embed(text) {
    const sums = new Float64Array(DIMENSION);
    for (const { term, word } of tokenize(text)) {
      if (!STOP_WORDS.has(word)) project(sums, term);
    }
    // of whole numbers, so that it is exact and the same in every engine
    const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
    return length === 0 ? new Float32Array(DIMENSION) : Float32Array.from(sums, (sum) => sum / length);
  },
};

function project(sums: Float64Array, term: string): void {
  let state = fnv1a(term);
  for (let i = 0; i < COMPONENTS_PER_TERM; i += 1) {
    state = (state + GOLDEN_RATIO) >>> 0;
    const bits = mix(state);
    const component = bits % DIMENSION;
    // the top bit, which the remainder hardly depends on
    sums[component] = (sums[component] ?? 0) + (bits >= 0x8000_0000 ? 1 : -1);
  }
}

/** 2³² divided by the golden ratio: the step of Knuth's and SplitMix's sequences, which visits all 2³² states. */
const GOLDEN_RATIO = 0x9e37_79b9;

/** FNV-1a over UTF-16 code units, 32 bits; its offset and prime are those of the IETF draft `fnv`. */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

/** The finaliser of MurmurHash3: every input bit changes every output bit with probability one half. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
