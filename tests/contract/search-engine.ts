import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../src/contracts/kv.ts';
import type { ShardSearch } from '../../src/contracts/search.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import type { CidString } from '../../src/lib/ids.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { indexable, LIBRARY } from './search-records.ts';

/** Makes an engine over a device's storage, as one tab of the device would; several may share a store. */
export type MakeEngine = (options: { readonly store: KeyValueStore; readonly clock: Clock }) => ShardSearch;

const A = 'dataset-a' as CidString;
const B = 'dataset-b' as CidString;

/** What every {@link ShardSearch} does, whatever engine ranks. */
export function searchEngineContract(name: string, make: MakeEngine): void {
  describe(`ShardSearch contract: ${name}`, () => {
    let store: KeyValueStore;
    let shard: ShardSearch;
    const tab = (over: KeyValueStore = store): ShardSearch => make({ store: over, clock: systemClock });
    const ids = async (query: string, from = shard): Promise<string[]> =>
      (await from.search({ query, topK: 100 })).hits.map((hit) => hit.recordId);

    beforeEach(() => {
      store = createMemoryStore();
      shard = tab();
    });

    describe('searching', () => {
      beforeEach(() => shard.addSegment(A, LIBRARY));

      it.each([
        ['the title', 'arthritis', 'pubmed:2'],
        ['the abstract', 'antibodies', 'pubmed:2'],
        ['a keyword', 'biologics', 'pubmed:2'],
        ['a subject heading', 'polysomnography', 'pubmed:1'],
        ['an author', 'lindqvist', 'pubmed:1'],
        ['an author without the accents', 'munoz', 'pubmed:2'],
        ['a trial number', 'nct01234567', 'pubmed:2'],
        ['a DOI', '10.1000/sleep.2021.17', 'pubmed:1'],
        ['another form of the word', 'antibody', 'pubmed:2'],
        ['a Greek letter by its name', 'TNF-alpha', 'pubmed:2'],
        ['a name written without its hyphen', 'IL6', 'pubmed:2'],
      ])('finds a record by %s', async (_what, query, id) => {
        expect((await ids(query))[0]).toBe(id);
      });

      it('shows what a person needs to recognise the record', async () => {
        const [hit] = (await shard.search({ query: 'overnight retention', topK: 1 })).hits;
        expect(hit).toMatchObject({
          recordCid: 'cid-1',
          recordId: 'pubmed:1',
          dataset: A,
          title: 'Sleep spindles and memory consolidation in older adults',
          authors: ['Maren Lindqvist'],
          authorCount: 1,
          venue: 'Journal of Sleep',
          year: 2021,
          url: 'https://pubmed.ncbi.nlm.nih.gov/1/',
          retracted: false,
        });
        expect(hit?.snippetMarks.map(([start, end]) => hit.snippet.slice(start, end))).toEqual([
          'overnight',
          'retention',
        ]);
      });

      it('says how much it searched and how much matched beyond the hits', async () => {
        const answer = await shard.search({ query: 'sleep', topK: 1 });
        expect(answer).toMatchObject({ total: 2, searched: LIBRARY.length, datasets: [A] });
        expect(answer.hits).toHaveLength(1);
      });

      it('ranks by descending score', async () => {
        const { hits } = await shard.search({ query: 'sleep bacteria memory', topK: 100 });
        expect(hits.length).toBe(3);
        expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).sort((a, b) => b - a));
      });

      it('finds nothing for a word that is not there', async () => {
        expect(await shard.search({ query: 'zeppelin', topK: 10 })).toMatchObject({ hits: [], total: 0 });
      });

      it.each(['', '   ', '?! …'])('refuses the query %j', async (query) => {
        await expect(shard.search({ query, topK: 10 })).rejects.toMatchObject({ code: 'invalid_input' });
      });

      it.each([0, -1, 1.5, Number.NaN])('refuses to give %d hits', async (topK) => {
        await expect(shard.search({ query: 'sleep', topK })).rejects.toMatchObject({ code: 'invalid_input' });
        await expect(shard.related('pubmed:1', topK)).rejects.toMatchObject({ code: 'invalid_input' });
      });

      it('answers a query of function words', async () => {
        expect((await shard.search({ query: 'of the', topK: 10 })).searched).toBe(LIBRARY.length);
      });

      it('takes a query of thousands of words', async () => {
        const query = `${'lorem ipsum '.repeat(5_000)} arthritis`;
        expect(await ids(query)).toEqual(['pubmed:2']);
      });

      it('stops when cancelled', async () => {
        const search = shard.search({ query: 'sleep', topK: 10 }, AbortSignal.abort());
        await expect(search).rejects.toMatchObject({ code: 'cancelled' });
      });
    });

    describe('related records', () => {
      beforeEach(() => shard.addSegment(A, LIBRARY));

      it('puts the record on the same subject first and leaves the record itself out', async () => {
        const { hits, total } = await shard.related('pubmed:1', 10);
        expect(hits[0]?.recordId).toBe('pubmed:3');
        expect(hits.map((hit) => hit.recordId)).not.toContain('pubmed:1');
        expect(total).toBe(hits.length);
      });

      it('refuses a record that is not here', async () => {
        await expect(shard.related('pubmed:404', 10)).rejects.toMatchObject({ code: 'not_found' });
      });
    });

    describe('several datasets', () => {
      const shared = indexable('7', { title: 'Shared finding' });

      it('counts a record of two datasets once and keeps it until both are removed', async () => {
        await shard.addSegment(A, [shared, indexable('8', { title: 'Finding of A alone' })]);
        await shard.addSegment(B, [shared]);
        expect(await shard.search({ query: 'finding', topK: 10 })).toMatchObject({ total: 2, searched: 2 });
        await shard.removeSegment(A);
        const answer = await shard.search({ query: 'finding', topK: 10 });
        expect(answer).toMatchObject({ total: 1, searched: 1, datasets: [B] });
        expect(answer.hits[0]?.dataset).toBe(B);
        await shard.removeSegment(B);
        expect(await shard.search({ query: 'finding', topK: 10 })).toMatchObject({ total: 0, searched: 0 });
      });

      it('answers one version of a record that two datasets hold in different versions', async () => {
        await shard.addSegment(A, [indexable('7', { title: 'Shared finding' }, 'old')]);
        await shard.addSegment(B, [indexable('7', { title: 'Shared finding, corrected' }, 'new'), indexable('9')]);
        const answer = await shard.search({ query: 'corrected finding', topK: 10 });
        expect(answer.hits.map((hit) => hit.recordCid)).toEqual(['new']);
        expect(answer).toMatchObject({ total: 1, searched: 2 });
        const related = await shard.related('pubmed:7', 10);
        expect(related.hits.map((hit) => hit.recordId)).not.toContain('pubmed:7');
      });

      it('replaces nothing when a dataset is added again', async () => {
        const first = await shard.addSegment(A, LIBRARY);
        expect(await shard.addSegment(A, [shared])).toEqual(first);
        expect(await shard.segments()).toEqual([first]);
        expect(first).toMatchObject({ dataset: A, count: LIBRARY.length });
      });

      it('keeps a dataset without records', async () => {
        await shard.addSegment(A, []);
        expect(await shard.search({ query: 'sleep', topK: 1 })).toMatchObject({ datasets: [A], searched: 0 });
      });

      it('does nothing when told to remove what is not there', async () => {
        await shard.removeSegment(B);
        expect(await shard.segments()).toEqual([]);
      });
    });

    describe('persistence', () => {
      it('is found again by another tab, and after a restart', async () => {
        const manifest = await shard.addSegment(A, LIBRARY);
        const other = tab();
        expect(await ids('sleep', other)).toEqual([]);
        await other.load();
        expect(await other.segments()).toEqual([manifest]);
        expect(await other.search({ query: 'sleep', topK: 9 })).toMatchObject({
          hits: (await shard.search({ query: 'sleep', topK: 9 })).hits,
        });
      });

      it('loads what another tab has added since and drops what it removed', async () => {
        const other = tab();
        await shard.addSegment(A, [indexable('1', { title: 'First' })]);
        await other.load();
        await shard.addSegment(B, [indexable('2', { title: 'Second' })]);
        await shard.removeSegment(A);
        expect(await ids('first second', other)).toEqual(['pubmed:1']);
        await other.load();
        expect(await ids('first second', other)).toEqual(['pubmed:2']);
      });

      it('lets two tabs add different datasets at the same time', async () => {
        const other = tab();
        await Promise.all([
          shard.addSegment(A, [indexable('1', { title: 'First' })]),
          other.addSegment(B, [indexable('2', { title: 'Second' })]),
        ]);
        const third = tab();
        await third.load();
        expect((await ids('first second', third)).sort()).toEqual(['pubmed:1', 'pubmed:2']);
      });

      it('takes over what another tab has added instead of indexing it again', async () => {
        const manifest = await shard.addSegment(A, [indexable('1', { title: 'First' })]);
        const other = tab();
        expect(await other.addSegment(A, [indexable('1', { title: 'First' })])).toEqual(manifest);
        expect(await ids('first', other)).toEqual(['pubmed:1']);
      });

      it('stores a dataset again that another tab has removed meanwhile', async () => {
        const other = tab();
        await shard.addSegment(A, LIBRARY);
        await other.load();
        await other.removeSegment(A);
        await shard.addSegment(A, LIBRARY);
        await other.load();
        expect(await ids('arthritis', other)).toEqual(['pubmed:2']);
      });

      it('shows a segment only when it is durable', async () => {
        const gate = Promise.withResolvers<undefined>();
        const reached = Promise.withResolvers<undefined>();
        const gated = async (write: () => Promise<void>): Promise<void> => {
          reached.resolve(undefined);
          await gate.promise;
          await write();
        };
        const slow = tab({
          ...store,
          put: (key, value) => gated(() => store.put(key, value)),
          batch: (writes) => gated(() => store.batch(writes)),
        });
        const added = slow.addSegment(A, LIBRARY);
        await reached.promise;
        expect(await slow.search({ query: 'sleep', topK: 9 })).toMatchObject({ hits: [], total: 0, searched: 0 });
        expect(await slow.segments()).toEqual([]);
        gate.resolve(undefined);
        await added;
        expect(await ids('arthritis', slow)).toEqual(['pubmed:2']);
      });

      it('says so when there is no space and keeps what was there', async () => {
        await shard.addSegment(A, LIBRARY);
        const fullTab = tab(full(store));
        await fullTab.load();
        const adding = fullTab.addSegment(B, [indexable('9', { title: 'Sleep again' })]);
        await expect(adding).rejects.toMatchObject({ code: 'quota_exceeded' });
        expect(await ids('again', fullTab)).toEqual([]);
        expect(await ids('arthritis', fullTab)).toEqual(['pubmed:2']);
        expect((await fullTab.segments()).map((segment) => segment.dataset)).toEqual([A]);
        const restarted = tab();
        await restarted.load();
        expect((await restarted.segments()).map((segment) => segment.dataset)).toEqual([A]);
      });

      it('can be cancelled while it indexes or loads, and tried again', async () => {
        const many = Array.from({ length: 400 }, (_, i) =>
          indexable(String(i), { title: `Study number ${String(i)}` }),
        );
        const cancelling = cancelOnFirstPause(make, store);
        await expect(cancelling.shard.addSegment(A, many, cancelling.signal)).rejects.toMatchObject({
          code: 'cancelled',
        });
        expect(await store.keys()).toEqual([]);
        expect(await cancelling.shard.search({ query: 'study', topK: 1 })).toMatchObject({ total: 0, searched: 0 });
        await cancelling.shard.addSegment(A, many);
        expect(await cancelling.shard.search({ query: 'study', topK: 1 })).toMatchObject({ total: 400, searched: 400 });

        const loading = cancelOnFirstPause(make, store);
        await expect(loading.shard.load(loading.signal)).rejects.toMatchObject({ code: 'cancelled' });
        expect(await loading.shard.segments()).toEqual([]);
        await loading.shard.load();
        expect(await loading.shard.search({ query: 'study', topK: 1 })).toMatchObject({ total: 400 });
      });
    });

    it('answers alike whatever was added and removed before, in whatever order', async () => {
      await fc.assert(
        fc.asyncProperty(segmentsArbitrary, changesArbitrary, async (segments, changes) => {
          const changed = tab(createMemoryStore());
          const present = new Set<number>();
          for (const { add, segment } of changes) {
            const dataset = datasetOf(segment);
            if (add) await changed.addSegment(dataset, segments[segment] ?? []);
            else await changed.removeSegment(dataset);
            if (add) present.add(segment);
            else present.delete(segment);
          }
          const fresh = tab(createMemoryStore());
          for (const segment of [...present].sort())
            await fresh.addSegment(datasetOf(segment), segments[segment] ?? []);
          for (const query of [...WORDS, WORDS.join(' ')]) {
            expect(await answerOf(changed, query)).toEqual(await answerOf(fresh, query));
          }
          const all = await fresh.search({ query: WORDS.join(' '), topK: 100 });
          for (const { recordId } of all.hits) {
            expect((await changed.related(recordId, 3)).hits).toEqual((await fresh.related(recordId, 3)).hits);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}

const WORDS = ['sleep', 'memory', 'tumour', 'gene', 'the', 'cell', 'blood', 'heart', 'trial', 'dose', 'risk'];

const recordArbitrary = fc
  .record({
    id: fc.integer({ min: 1, max: 12 }),
    title: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 }),
    abstract: fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }),
  })
  .map(({ id, title, abstract }) => {
    // the CID follows from the content, as a real one does
    const content = `${title.join(' ')}|${abstract.join(' ')}`;
    const fields = { title: title.join(' '), abstract: [{ label: null, text: abstract.join(' ') }] };
    return indexable(String(id), fields, `${String(id)}|${content}`);
  });

const segmentsArbitrary = fc.array(fc.array(recordArbitrary, { maxLength: 9 }), { minLength: 4, maxLength: 4 });
const changesArbitrary = fc.array(fc.record({ add: fc.boolean(), segment: fc.integer({ min: 0, max: 3 }) }), {
  maxLength: 10,
});

function datasetOf(segment: number): CidString {
  return `dataset-${String(segment)}` as CidString;
}

async function answerOf(shard: ShardSearch, query: string): Promise<unknown> {
  const { hits, total, searched, datasets } = await shard.search({ query, topK: 5 });
  return { hits, total, searched, datasets };
}

/** The same storage with no space left: reads and deletes work, writes fail as a browser's do. */
function full(store: KeyValueStore): KeyValueStore {
  const fail = (): Promise<never> => Promise.reject(new DOMException('full', 'QuotaExceededError'));
  return { ...store, put: fail, batch: fail };
}

/** An engine whose clock cancels the signal the first time that the engine lets the event loop have a turn. */
function cancelOnFirstPause(make: MakeEngine, store: KeyValueStore): { shard: ShardSearch; signal: AbortSignal } {
  const controller = new AbortController();
  const clock: Clock = {
    now: () => systemClock.now(),
    sleep: (ms, signal) => {
      controller.abort();
      return systemClock.sleep(ms, signal);
    },
  };
  return { shard: make({ store, clock }), signal: controller.signal };
}
