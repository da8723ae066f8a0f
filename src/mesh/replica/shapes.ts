import type { DatasetSummary } from '../../contracts/dataset.ts';
import type { RelayOffer } from '../../contracts/replica.ts';
import type { EmbedderInfo, SegmentManifest } from '../../contracts/search.ts';
import type { CidString } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { MAX_RELAY_LENGTH, MAX_RELAYS } from '../identity/invite.ts';

/** CIDv1 in base32: a sha2-256 CID has 59 characters; longer hashes are let through, essays are not. */
const CID = /^b[a-z2-7]{45,120}$/;
const MAX_DEVICE_NAME = 80;
const MAX_DATASET_NAME = 300;
/** PubMed takes longer queries, but nobody reads them in a list. */
const MAX_QUERY = 4000;
const MAX_LABEL = 100;
/** 16 bytes in base64url */
const ACCESS_KEY = /^[A-Za-z0-9_-]{22}$/;
/** ISO 8601 in UTC, to the second or finer. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

/** A dataset summary with exactly the known fields, or undefined when `value` is none. */
export function readDatasetSummary(value: unknown): DatasetSummary | undefined {
  if (!isPlainMap(value)) return undefined;
  const { data, manifest, name, count, bytes, query, source, createdAt, complete } = value;
  if (!isCid(data) || !isCid(manifest) || !isText(name, MAX_DATASET_NAME) || !isText(query, MAX_QUERY))
    return undefined;
  if (!isCount(count) || !isCount(bytes) || source !== 'pubmed') return undefined;
  if (!isTimestamp(createdAt) || typeof complete !== 'boolean') return undefined;
  return { data, manifest, name, count, bytes, query, source, createdAt, complete };
}

/** A segment manifest with exactly the known fields, or undefined when `value` is none. */
export function readSegmentManifest(value: unknown): SegmentManifest | undefined {
  if (!isPlainMap(value)) return undefined;
  const { dataset, count, engine, builtAt } = value;
  const embedder = readEmbedder(value['embedder']);
  if (!isCid(dataset) || !isCount(count) || !isText(engine, MAX_LABEL)) return undefined;
  if (embedder === undefined || !isTimestamp(builtAt)) return undefined;
  return { dataset, count, engine, embedder, builtAt };
}

/** A name that a device gave itself, or undefined. */
export function readDeviceName(value: unknown): string | undefined {
  return isText(value, MAX_DEVICE_NAME) && value.trim() !== '' ? value : undefined;
}

export function readDeviceKind(value: unknown): 'tab' | 'relay' | undefined {
  return value === 'tab' || value === 'relay' ? value : undefined;
}

/** How a device's relay is used, or undefined. Whether its addresses are any is for who dials them to see. */
export function readRelayOffer(value: unknown): RelayOffer | undefined {
  if (!isPlainMap(value)) return undefined;
  const { addresses, accessKey } = value;
  if (!Array.isArray(addresses) || addresses.length === 0 || addresses.length > MAX_RELAYS) return undefined;
  if (!addresses.every((address) => isText(address, MAX_RELAY_LENGTH))) return undefined;
  if (accessKey !== null && !(typeof accessKey === 'string' && ACCESS_KEY.test(accessKey))) return undefined;
  return { addresses, accessKey };
}

function readEmbedder(value: unknown): EmbedderInfo | undefined {
  if (!isPlainMap(value)) return undefined;
  const { id, version, dimension, normalised } = value;
  if (!isText(id, MAX_LABEL) || !isCount(version) || !isCount(dimension)) return undefined;
  return typeof normalised === 'boolean' ? { id, version, dimension, normalised } : undefined;
}

const isCid = (value: unknown): value is CidString => typeof value === 'string' && CID.test(value);

const isText = (value: unknown, limit: number): value is string => typeof value === 'string' && value.length <= limit;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isTimestamp = (value: unknown): value is string => typeof value === 'string' && TIMESTAMP.test(value);
