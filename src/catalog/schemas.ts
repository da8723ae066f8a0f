import * as z from '../tools/zod.ts';
import { count } from './fields.ts';

/*
 * What the tools give back, in the wire's snake_case; the module of the same subject beside it (`hits.ts`, `records.ts`,
 * `peers.ts`, `datasets.ts`) makes these of our own types.
 */

const text = z.string();
const texts = z.array(text);
const textOrNull = z.nullable(text);
const whole = z.nullable(z.int());

/** Offsets are UTF-16 code units. A pair of named numbers, since older JSON Schema readers misread tuples. */
const marks = z.array(z.strictObject({ start: count('first code unit'), end: count('one past the last') }));

const hitFields = {
  record_id: text.check(z.describe('id at the source, such as "pubmed:27797938"')),
  record_cid: text.check(z.describe('pass it to get_record for the whole record')),
  dataset: text.check(z.describe('CID of the dataset; pass it to get_dataset')),
  title: text,
  title_marks: marks,
  snippet: text.check(z.describe('the part of the abstract that matched')),
  snippet_marks: marks,
  authors: texts.check(z.describe('the first six')),
  author_count: count('all authors'),
  venue: textOrNull.check(z.describe('journal or book')),
  year: whole,
  url: text,
  retracted: z.boolean(),
  score: z.number().check(z.describe('comparable within one answer only')),
};

export const hit = z.strictObject(hitFields);

export const shardAnswer = z.strictObject({
  hits: z.array(hit),
  total: count('all matches, beyond top_k too'),
  searched: count('records in the shard'),
  datasets: texts.check(z.describe('CIDs of the datasets that the shard covers')),
  took_ms: z.number(),
});

const wireError = z.strictObject({
  code: text,
  message: text,
  hint: textOrNull,
  retryable: z.boolean(),
  details: z.record(text, z.unknown()),
});

const deviceAnswer = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('answered'),
    device: text,
    peer: text,
    name: text,
    hits: count('hits it returned'),
    searched: count('records it searched'),
    took_ms: z.number(),
    direct: z.boolean(),
  }),
  z.strictObject({ status: z.literal('failed'), device: text, peer: text, name: text, error: wireError }),
  z.strictObject({ status: z.literal('away'), device: text, name: text, datasets: texts }),
]);

export const roomSearchResult = z.strictObject({
  query: text,
  hits: z.array(
    z.strictObject({
      ...hitFields,
      device: text,
      device_name: text.check(z.describe('the device whose shard answered')),
      also_on: texts.check(z.describe('other devices that returned the same record')),
    }),
  ),
  total: count('all matches, beyond top_k too'),
  devices: z.array(deviceAnswer).check(z.describe('how each device took part')),
  missing: z
    .array(z.strictObject({ dataset: text, name: text, held_by: texts }))
    .check(z.describe('datasets that were not searched, because nobody who answered holds them')),
  took_ms: z.number(),
});

export const record = z.strictObject({
  id: text,
  source: z.literal('pubmed'),
  kind: z.enum(['article', 'book']),
  title: text,
  vernacular_title: textOrNull,
  abstract: z.array(z.strictObject({ label: textOrNull, text })),
  authors: z.array(z.strictObject({ name: text, collective: z.boolean(), orcid: textOrNull })),
  venue: textOrNull,
  venue_abbreviation: textOrNull,
  volume: textOrNull,
  issue: textOrNull,
  pages: textOrNull,
  date: z.strictObject({ year: whole, month: whole, day: whole, text: textOrNull }),
  doi: textOrNull,
  pmcid: textOrNull,
  url: text,
  languages: texts,
  publication_types: texts,
  mesh_terms: texts,
  keywords: texts,
  trials: texts.check(z.describe('trial registry ids, such as "NCT01234567"')),
  notices: z.array(z.strictObject({ type: text, pmid: textOrNull })),
  retracted: z.boolean(),
});

export const recordEntry = z.strictObject({ cid: text, record });

export const dataset = z.strictObject({
  dataset: text.check(z.describe('CID of the data; pass it to get_dataset')),
  manifest: text.check(z.describe('CID of its times and provenance')),
  name: text,
  count: count('records'),
  bytes: count('size of the records'),
  source: z.literal('pubmed'),
  query: text,
  created_at: text.check(z.describe('ISO 8601, UTC')),
  complete: z.boolean().check(z.describe('false when its collection stopped early')),
  holders: z.array(z.strictObject({ device: text, name: text, online: z.boolean() })),
});

export const provenance = z.strictObject({
  tool: text,
  source: z.literal('pubmed'),
  query: text,
  query_translation: textOrNull,
  started_at: text,
  finished_at: text,
  missing: texts.check(z.describe('ids asked for that the source did not return')),
  complete: z.boolean(),
});

export const peer = z.strictObject({
  peer: text,
  device: text.check(z.describe('tabs of one browser are peers of one device')),
  name: text,
  kind: z.enum(['tab', 'relay']),
  link: z.enum(['self', 'direct', 'relayed', 'connecting']),
  latency_ms: z.nullable(z.number()),
  visible: z.boolean(),
  tools: texts,
  shard_records: count('records it can search'),
  served: z.record(text, count('calls')).check(z.describe('calls it has served since it started, by tool')),
  load: z.nullable(z.number()).check(z.describe('share of its main thread that was busy lately, 0 to 1')),
  battery: z.nullable(z.strictObject({ level: z.number().check(z.describe('0 to 1')), charging: z.boolean() })),
  links: z
    .array(z.strictObject({ peer: text, direct: z.boolean(), latency_ms: z.nullable(z.number()) }))
    .check(z.describe('whom it is linked to, as it says itself')),
  since: z.int().check(z.describe('milliseconds since the epoch')),
});

const member = z.strictObject({
  device: text,
  name: text,
  kind: z.enum(['tab', 'relay']),
  self: z.boolean().check(z.describe('the device that answers')),
  online: z.boolean(),
  role: z.enum(['maker', 'owner', 'member', 'blocked']),
  forked: z
    .boolean()
    .check(z.describe('a copy of it says other things under the same key: nothing more is taken of either')),
});

export const memberList = z.strictObject({
  epoch: count('grows with every new secret of the room'),
  can_manage: z.boolean().check(z.describe('whether the device that answers may change the secret and block devices')),
  members: z.array(member),
});
