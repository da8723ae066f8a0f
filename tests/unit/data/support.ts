import fc from 'fast-check';
import type { BlockStore, Provenance } from '../../../src/contracts/dataset.ts';
import type { LiteratureRecord } from '../../../src/contracts/records.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString, DeviceId, RunId } from '../../../src/lib/ids.ts';

export const NEVER = new AbortController().signal;

export interface MemoryBlocks extends BlockStore {
  readonly held: Map<CidString, Uint8Array>;
  /** called before each write; what it throws fails the write */
  beforePut: (blocks: readonly { readonly cid: CidString; readonly bytes: Uint8Array }[]) => void;
}

/** A block store in memory whose writes are all or nothing. */
export function memoryBlocks(): MemoryBlocks {
  const held = new Map<CidString, Uint8Array>();
  const store: MemoryBlocks = {
    held,
    beforePut: () => undefined,
    getMany: (cids) => Promise.all(cids.map((cid) => store.get(cid))),
    get: (cid) => {
      const bytes = held.get(cid);
      return bytes === undefined
        ? Promise.reject(new TabmeshError('not_found', `no block ${cid}`))
        : Promise.resolve(bytes);
    },
    has: (cid) => Promise.resolve(held.has(cid)),
    putMany: async (blocks) => {
      await Promise.resolve();
      store.beforePut(blocks);
      // plain arrays, since Node's Buffer compares as something else
      for (const { cid, bytes } of blocks) held.set(cid, Uint8Array.from(bytes));
    },
    delete: (cid) => {
      held.delete(cid);
      return Promise.resolve();
    },
    deleteMany: (cids) => {
      for (const cid of cids) held.delete(cid);
      return Promise.resolve();
    },
  };
  return store;
}

export function record(id: string, changes: Partial<LiteratureRecord> = {}): LiteratureRecord {
  return {
    id: `pubmed:${id}`,
    source: 'pubmed',
    kind: 'article',
    title: `Title of ${id}`,
    vernacularTitle: null,
    abstract: [{ label: 'METHODS', text: 'We counted.' }],
    authors: [{ name: 'Ada Example', collective: false, orcid: null }],
    venue: 'Journal of Examples',
    venueAbbreviation: 'J Ex',
    volume: '1',
    issue: null,
    pages: null,
    date: { year: 2001, month: null, day: null, text: null },
    doi: null,
    pmcid: null,
    url: `https://pubmed.ncbi.nlm.nih.gov/${id}/`,
    languages: ['eng'],
    publicationTypes: ['Journal Article'],
    meshTerms: [],
    keywords: [],
    trials: [],
    notices: [],
    retracted: false,
    ...changes,
  };
}

export function provenance(changes: Partial<Provenance> = {}): Provenance {
  return {
    tool: 'collect_literature',
    source: 'pubmed',
    query: 'sleep',
    queryTranslation: '"sleep"[MeSH Terms]',
    startedAt: '2024-01-01T00:00:00.000Z',
    finishedAt: '2024-01-01T00:01:00.000Z',
    requests: ['https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?term=sleep'],
    missing: [],
    parserVersion: '1',
    runId: 'run' as RunId,
    device: 'device' as DeviceId,
    complete: true,
    ...changes,
  };
}

/** Records with arbitrary text and few ids, so that duplicates come up. */
export const anyRecord: fc.Arbitrary<LiteratureRecord> = fc
  .record({
    id: fc.nat({ max: 40 }),
    title: fc.string({ unit: 'grapheme', maxLength: 40 }),
    label: fc.option(fc.string({ maxLength: 10 })),
    year: fc.option(fc.integer({ min: 1800, max: 2030 })),
    retracted: fc.boolean(),
  })
  .map(({ id, title, label, year, retracted }) =>
    record(String(id), {
      title,
      abstract: [{ label, text: title }],
      date: { year, month: null, day: null, text: null },
      retracted,
    }),
  );

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The code a promise fails with; undefined when it does not. */
export async function failure(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (thrown) {
    return thrown instanceof TabmeshError ? thrown.code : `not ours: ${String(thrown)}`;
  }
}
