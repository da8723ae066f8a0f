import type { SearchHit, ShardAnswer } from '../../../src/contracts/search.ts';
import type { CidString } from '../../../src/lib/ids.ts';

export function hit(id: string, score: number, dataset = 'd'): SearchHit {
  return {
    recordCid: `cid-${id}` as CidString,
    recordId: id,
    dataset: dataset as CidString,
    title: id,
    snippet: '',
    snippetMarks: [],
    titleMarks: [],
    authors: [],
    authorCount: 0,
    venue: null,
    year: null,
    url: '',
    retracted: false,
    score,
  };
}

export function answer(
  hits: readonly SearchHit[],
  datasets: readonly string[] = ['d'],
  total = hits.length,
): ShardAnswer {
  return { hits, total, searched: 10, datasets: datasets as readonly CidString[], tookMs: 1 };
}
