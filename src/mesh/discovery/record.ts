import type { PeerRecord, PeerSource } from '../../contracts/discovery.ts';
import type { Json } from '../../contracts/workflow.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { hasExactly, isPlainMap } from '../../lib/strict-map.ts';
import { parsePeerAddress } from './peer-address.ts';

/** How long a record is worth trying, unless it says otherwise; the registries' common default. */
const DEFAULT_TTL_SECONDS = 3600;
/** A peer has a few ways to it; as many as the rendezvous takes. */
export const MAX_ADDRESSES = 8;
/** A peer's tools, twice over what a catalogue of today has. */
const MAX_CAPABILITIES = 512;
const MAX_CAPABILITY_CHARS = 128;
/** Small facts, not documents. */
const MAX_METADATA_CHARS = 4096;
/** A year: whatever is longer is meant as "for ever", and a peer that nobody saw for a year is gone. */
const MAX_TTL_SECONDS = 366 * 24 * 3600;

/**
 * All sources, by whose word counts when they differ, most trusted first: what a person typed; what a relay sees now; what
 * proven members say; this browser's own tabs; a list in the net that others can write to; what this device remembers.
 */
export const SOURCES: readonly PeerSource[] = [
  'manual',
  'rendezvous',
  'gossip',
  'broadcast',
  'github',
  'local_file',
  'local_store',
  'cache',
  'unknown',
];
const SOURCE_NAMES: ReadonlySet<string> = new Set(SOURCES);

/** The stored form of a {@link PeerRecord}; times are seconds since the epoch, with fractions. */
export interface PlainRecord {
  readonly peer_id: string;
  readonly multiaddrs: readonly string[];
  readonly capabilities: readonly string[];
  readonly first_seen: number;
  readonly last_seen: number;
  readonly source: string;
  readonly ttl_seconds: number;
  readonly metadata: Readonly<Record<string, Json>>;
}

const FIELDS: readonly (keyof PlainRecord)[] = [
  'peer_id',
  'multiaddrs',
  'capabilities',
  'first_seen',
  'last_seen',
  'source',
  'ttl_seconds',
  'metadata',
];

/** A record of a peer that has been seen now. */
export function newRecord(
  fields: Pick<PeerRecord, 'peer' | 'multiaddrs' | 'source'> & Partial<PeerRecord>,
  now: number,
): PeerRecord {
  return { capabilities: [], firstSeen: now, lastSeen: now, ttlSeconds: DEFAULT_TTL_SECONDS, metadata: {}, ...fields };
}

/** Strictly: a record that is exactly its TTL old still counts. */
export function isExpired(record: PeerRecord, now: number): boolean {
  return now - record.lastSeen > record.ttlSeconds * 1000;
}

/** Whether the peer has all of these; asking for none asks for any peer. */
export function hasCapabilities(record: PeerRecord, wanted: readonly string[]): boolean {
  return wanted.every((capability) => record.capabilities.includes(capability));
}

/** The stored form. {@link recordFromPlain} reads it. */
export function recordToPlain(record: PeerRecord): PlainRecord {
  return {
    peer_id: record.peer,
    multiaddrs: [...record.multiaddrs],
    capabilities: [...record.capabilities],
    first_seen: record.firstSeen / 1000,
    last_seen: record.lastSeen / 1000,
    source: record.source,
    ttl_seconds: record.ttlSeconds,
    metadata: { ...record.metadata },
  };
}

/**
 * Reads a stored record, or one that somebody sent.
 * @throws `corrupt` when a field is missing, unknown, of another type or over its bound, or an address leads to another peer
 */
export function recordFromPlain(value: unknown): PeerRecord {
  if (!isPlainMap(value)) throw corrupt('it is no object');
  if (!hasExactly(value, FIELDS)) throw corrupt(`its fields are not ${FIELDS.join(', ')}`);
  const { peer_id, multiaddrs, capabilities, first_seen, last_seen, source, ttl_seconds, metadata } = value;
  if (typeof peer_id !== 'string') throw corrupt('peer_id');
  if (!Array.isArray(multiaddrs) || multiaddrs.length === 0 || multiaddrs.length > MAX_ADDRESSES) {
    throw corrupt('multiaddrs');
  }
  if (!multiaddrs.every((address) => leadsTo(address, peer_id))) throw corrupt('multiaddrs');
  if (!Array.isArray(capabilities) || capabilities.length > MAX_CAPABILITIES || !capabilities.every(isCapability)) {
    throw corrupt('capabilities');
  }
  if (!isTime(first_seen) || !isTime(last_seen)) throw corrupt('first_seen, last_seen');
  if (typeof source !== 'string' || !SOURCE_NAMES.has(source)) throw corrupt('source');
  if (typeof ttl_seconds !== 'number' || !(ttl_seconds > 0 && ttl_seconds <= MAX_TTL_SECONDS))
    throw corrupt('ttl_seconds');
  if (!isPlainMap(metadata) || JSON.stringify(metadata).length > MAX_METADATA_CHARS) throw corrupt('metadata');
  return {
    peer: peer_id as PeerId,
    multiaddrs: multiaddrs as readonly string[],
    capabilities,
    firstSeen: Math.round(first_seen * 1000),
    lastSeen: Math.round(last_seen * 1000),
    source: source as PeerSource,
    ttlSeconds: ttl_seconds,
    metadata: metadata as Readonly<Record<string, Json>>,
  };
}

function leadsTo(address: unknown, peer: string): boolean {
  return typeof address === 'string' && parsePeerAddress(address)?.peer === peer;
}

const isCapability = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_CAPABILITY_CHARS;

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function corrupt(why: string): TabmeshError {
  return new TabmeshError('corrupt', `not a peer record: ${why}`);
}
