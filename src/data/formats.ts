import type { DatasetManifest, DatasetRoot, Provenance, RecordBatch } from '../contracts/dataset.ts';
import type { LiteratureRecord } from '../contracts/records.ts';
import { FORMAT_VERSIONS } from '../contracts/versions.ts';
import type { CidString, DeviceId, RunId } from '../lib/ids.ts';
import { address, count, fields, flag, list, nullable, text, versioned, webUrl, word, type Shape } from './shape.ts';

/** What a manifest block says that it is. */
export const MANIFEST_FORMAT = 'tabmesh/dataset-manifest';

/** One page of a dataset: the addresses of its records. */
export interface Page {
  readonly records: readonly CidString[];
}

/** A literature record (contract `records.ts`). */
export const recordShape: Shape<LiteratureRecord> = fields<LiteratureRecord>({
  id: text,
  source: word('pubmed'),
  kind: word('article', 'book'),
  title: text,
  vernacularTitle: nullable(text),
  abstract: list(fields({ label: nullable(text), text })),
  authors: list(fields({ name: text, collective: flag, orcid: nullable(text) })),
  venue: nullable(text),
  venueAbbreviation: nullable(text),
  volume: nullable(text),
  issue: nullable(text),
  pages: nullable(text),
  date: fields({ year: nullable(count), month: nullable(count), day: nullable(count), text: nullable(text) }),
  doi: nullable(text),
  pmcid: nullable(text),
  url: webUrl,
  languages: list(text),
  publicationTypes: list(text),
  meshTerms: list(text),
  keywords: list(text),
  trials: list(text),
  notices: list(fields({ type: text, pmid: nullable(text) })),
  retracted: flag,
});

/** What `pubmed.fetch` hands to `dataset.write` (contract `dataset.ts`). */
export const batchShape: Shape<RecordBatch> = fields<RecordBatch>({
  run: text as Shape<RunId>,
  records: list(recordShape),
});

export const pageShape: Shape<Page> = fields<Page>({ records: list(address) });

/** The data root; pages are IPLD links in the block, addresses here. */
export const rootShape: Shape<DatasetRoot> = versioned<DatasetRoot>('tabmesh/dataset', FORMAT_VERSIONS.dataset, {
  count,
  bytes: count,
  pages: list(address),
});

const provenanceShape: Shape<Provenance> = fields<Provenance>({
  tool: text,
  source: word('pubmed'),
  query: text,
  queryTranslation: nullable(text),
  startedAt: text,
  finishedAt: text,
  requests: list(text),
  missing: list(text),
  parserVersion: text,
  runId: text as Shape<RunId>,
  device: text as Shape<DeviceId>,
  complete: flag,
});

/** The manifest; `data` is an IPLD link in the block, so that a manifest alone leads to everything. */
export const manifestShape: Shape<DatasetManifest> = versioned<DatasetManifest>(
  MANIFEST_FORMAT,
  FORMAT_VERSIONS.dataset,
  { data: address, name: text, provenance: provenanceShape },
);
