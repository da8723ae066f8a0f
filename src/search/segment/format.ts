import type { EmbedderInfo, SegmentManifest } from '../../contracts/search.ts';
import { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import type { StoredDoc } from './doc.ts';

/** One segment as it is stored: immutable, under a key of its own. */
export interface StoredSegment {
  readonly format: 'tabmesh/segment';
  readonly version: typeof FORMAT_VERSIONS.segment;
  readonly manifest: SegmentManifest;
  /** no two of the same CID */
  readonly docs: readonly StoredDoc[];
}

/** Wraps a segment for storage. */
export function encodeSegment(manifest: SegmentManifest, docs: readonly StoredDoc[]): StoredSegment {
  return { format: 'tabmesh/segment', version: FORMAT_VERSIONS.segment, manifest, docs };
}

/**
 * Reads what was stored for a dataset.
 * @param value as the store gave it: anything
 * @throws `format_newer` when a newer version of the app wrote it; `corrupt` when it is no segment of this dataset
 */
export function decodeSegment(dataset: CidString, value: unknown): StoredSegment {
  if (!isObject(value) || value['format'] !== 'tabmesh/segment') throw corrupt(dataset, 'it is not a segment');
  const version = value['version'];
  if (typeof version === 'number' && version > FORMAT_VERSIONS.segment) throw newer(dataset, version);
  if (version !== FORMAT_VERSIONS.segment) throw corrupt(dataset, 'its version is unknown');
  const { manifest, docs } = value;
  if (!isManifest(manifest) || manifest.dataset !== dataset) throw corrupt(dataset, 'its manifest is damaged');
  if (!Array.isArray(docs) || !docs.every(isDoc)) throw corrupt(dataset, 'its records are damaged');
  if (docs.length !== manifest.count) throw corrupt(dataset, 'records are missing');
  return { format: 'tabmesh/segment', version: FORMAT_VERSIONS.segment, manifest, docs };
}

function newer(dataset: CidString, version: number): TabmeshError {
  return new TabmeshError(
    'format_newer',
    `the search index of dataset ${dataset} has format version ${String(version)}; this app reads up to ` +
      String(FORMAT_VERSIONS.segment),
    { hint: 'Update this app. The index was left as it is.', details: { dataset, version } },
  );
}

function corrupt(dataset: CidString, why: string): TabmeshError {
  return new TabmeshError('corrupt', `the search index of dataset ${dataset} cannot be read: ${why}`, {
    hint: 'Index the dataset again; its records are not affected.',
    details: { dataset },
  });
}

function isManifest(value: unknown): value is SegmentManifest {
  return (
    isObject(value) &&
    typeof value['dataset'] === 'string' &&
    isCount(value['count']) &&
    typeof value['engine'] === 'string' &&
    typeof value['builtAt'] === 'string' &&
    isEmbedderInfo(value['embedder'])
  );
}

function isEmbedderInfo(value: unknown): value is EmbedderInfo {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    isCount(value['version']) &&
    isCount(value['dimension']) &&
    typeof value['normalised'] === 'boolean'
  );
}

function isDoc(value: unknown): value is StoredDoc {
  if (!isObject(value)) return false;
  const { authors, authorCount, venue, year, retracted } = value;
  return (
    ['cid', 'id', 'title', 'abstract', 'keywords', 'identifiers', 'url'].every(
      (key) => typeof value[key] === 'string',
    ) &&
    Array.isArray(authors) &&
    authors.every((author) => typeof author === 'string') &&
    isCount(authorCount) &&
    (venue === null || typeof venue === 'string') &&
    (year === null || Number.isInteger(year)) &&
    typeof retracted === 'boolean'
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}
