import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UPSTREAMS } from '../../../relay/config/upstreams.ts';
import { upstreamsFetchPort } from '../../../relay/http/fetch/port.ts';
import { createUpstreams } from '../../../relay/http/fetch/upstreams.ts';
import { openDoors, type Doors, type Refusal } from '../../support/doors.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { Cleanups, startMember } from '../../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../../support/live-relay.ts';
import { manyRecords } from '../../support/many-records.ts';
import { startUpstream, type Fault, type TestUpstream } from '../../support/upstream-server.ts';

/** A minute's time limit passes in three seconds, and back-offs of 1, 2 and 4 s in a third of a second. */
const TIMES = 20;
/** Two requests of 100 records; the second is the one that fails. */
const RECORDS = 150;

const cleanups = new Cleanups();
let upstream: TestUpstream;
let live: LiveRelay;
let doors: Doors;

beforeAll(async () => {
  upstream = await startUpstream({ routes: [manyRecords(RECORDS)] });
  cleanups.add(() => upstream.close());
  const clock = hastyClock(TIMES);
  live = await startLiveRelay(['--upstream', `pubmed=${upstream.url}`], clock);
  cleanups.add(() => live.close());
  // wherever a call runs, it meets the same upstream
  const upstreams = createUpstreams({ clock, overrides: new Map([[UPSTREAMS.pubmed, upstream.url]]) });
  cleanups.add(() => upstreams.close());
  const member = await startMember(live, cleanups, { clock, fetch: upstreamsFetchPort(upstreams) });
  doors = await openDoors(live, member);
  cleanups.add(() => doors.close());
}, 60_000);
afterAll(() => cleanups.run());
afterEach(() => {
  upstream.misbehave();
});

/** Collects at every door, one after the other. @returns what all said, without the names of runs and datasets */
async function everywhere(query: string, max_results: number): Promise<Refusal> {
  const { close: _, ...all } = doors;
  const said: [string, Refusal][] = [];
  for (const [name, call] of Object.entries(all)) {
    const { details, ...error } = await call('collect_literature', { query: `${query} ${name}`, max_results });
    const { run: __, dataset, ...same } = details;
    said.push([name, { ...error, details: { ...same, ...(dataset === undefined ? {} : { dataset: 'a CID' }) } }]);
  }
  const [, first] = said[0] ?? [];
  if (first === undefined) throw new Error('no door');
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(said.map(([name]) => [name, first])));
  return first;
}

const HOST = 'eutils.ncbi.nlm.nih.gov';
const FAULTS: readonly (readonly [string, Fault, Partial<Refusal>])[] = [
  ['500', { kind: 'status', status: 500 }, { code: 'upstream_error', retryable: true }],
  [
    '429 with a Retry-After that nobody waits for',
    { kind: 'throttled', retryAfterSeconds: 120 },
    { code: 'upstream_throttled', retryable: true },
  ],
  ['XML that breaks off', { kind: 'garbage' }, { code: 'upstream_malformed' }],
  ['a web page', { kind: 'html' }, { code: 'upstream_malformed' }],
  [
    'an endless body',
    { kind: 'endless' },
    { code: 'upstream_too_large', message: `the answer of ${HOST} is larger than 26214400 bytes` },
  ],
  ['silence', { kind: 'silence' }, { code: 'timeout', retryable: true }],
  ['a connection that breaks', { kind: 'reset' }, { code: 'upstream_unreachable', retryable: true }],
];

describe.each(FAULTS)('an upstream with %s', (what, fault, expected) => {
  const set = FAULTS.findIndex(([name]) => name === what);

  it('is the same typed error at every door', { timeout: 60_000 }, async () => {
    upstream.misbehave({ fault });
    const said = await everywhere(`${what} at once`, 10);
    expect(said).toMatchObject(expected);
    expect(said.hint).not.toBeNull();
    expect(said.message).not.toMatch(/127\.0\.0\.1|undefined|\[object|Error:/);
    if (what.startsWith('429')) expect(said.details).toMatchObject({ retryAfterMs: 120_000 });
    expect(said.details).not.toHaveProperty('dataset');
  });

  it('leaves the records that were fetched before, marked incomplete, and named by the error', async () => {
    upstream.misbehave({ fault, when: 'efetch', after: 1 });
    const query = `set ${set}`;
    const outcome = await live.gateway.tools.call({
      tool: 'collect_literature',
      args: { query, max_results: RECORDS },
      principal: live.owner,
      place: live.gateway.self,
    });
    expect(outcome).toMatchObject({ ok: false, error: { ...expected, details: { fetched: 100 } } });
    if (outcome.ok) return;
    const { dataset } = outcome.error.details;
    const call = async (tool: string, args: unknown) => {
      const answer = await live.gateway.tools.call({ tool, args, principal: live.owner, place: live.gateway.self });
      if (!answer.ok) throw new Error(answer.error.message);
      return answer.value;
    };
    const { datasets } = (await call('list_datasets', {})) as {
      datasets: { dataset: string }[];
    };
    expect(datasets.find((listed) => listed.dataset === dataset)).toMatchObject({
      name: query,
      complete: false,
      count: 100,
    });
    expect(await call('get_dataset', { dataset, limit: 5 })).toMatchObject({ records: { length: 5 } });
    const { hits } = (await call('search_index', { query: `9${String(set).padStart(3, '0')}099`, top_k: 5 })) as {
      hits: { record_id: string }[];
    };
    expect(hits.map(({ record_id }) => record_id)).toContain(`pubmed:9${String(set).padStart(3, '0')}099`);
  });
});
