import type { CidString, DeviceId, RunId } from '../lib/ids.ts';
import type { LiteratureRecord } from './records.ts';

/** Largest block we write or accept: the size that Bitswap peers and CAR readers are sure to take. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/**
 * The data root block (canonical dag-cbor). Depends on the records alone: the same records, in whatever order they
 * arrived, give the same CID (pages list record CIDs in the order of record ids).
 */
export interface DatasetRoot {
  readonly format: 'tabmesh/dataset';
  readonly version: 1;
  readonly count: number;
  /** total bytes of the record blocks */
  readonly bytes: number;
  /** CIDs of page blocks; each page is `{records: [recordCid, …]}` and at most MAX_BLOCK_BYTES */
  readonly pages: readonly CidString[];
}

/** Times and provenance, in a manifest block of its own so that they do not change the data CID. */
export interface DatasetManifest {
  readonly format: 'tabmesh/dataset-manifest';
  readonly version: 1;
  readonly data: CidString;
  readonly name: string;
  readonly provenance: Provenance;
}

export interface Provenance {
  /** what produced it, e.g. "collect_literature" */
  readonly tool: string;
  readonly source: 'pubmed';
  readonly query: string;
  /** how the service understood the query, where it says so */
  readonly queryTranslation: string | null;
  /** ISO 8601, UTC */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** URLs asked, without secrets */
  readonly requests: readonly string[];
  /** ids asked for that the service did not return */
  readonly missing: readonly string[];
  readonly parserVersion: string;
  readonly runId: RunId;
  readonly device: DeviceId;
  /** false when the collection stopped early; the records fetched before are here */
  readonly complete: boolean;
}

/** What the replica and the app know of a dataset without opening its blocks. */
export interface DatasetSummary {
  readonly data: CidString;
  readonly manifest: CidString;
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
  readonly query: string;
  readonly source: 'pubmed';
  readonly createdAt: string;
  readonly complete: boolean;
}

/** One record of a dataset with the address of its block. */
export interface RecordEntry {
  readonly cid: CidString;
  readonly record: LiteratureRecord;
}

/**
 * A block of fetched records on its way into a dataset (canonical dag-cbor, at most MAX_BLOCK_BYTES): what
 * `pubmed.fetch` writes and names by CID, and the step that writes the dataset reads.
 */
export interface RecordBatch {
  /** the run it belongs to: two runs that fetch the same records must not share a block that the first of them deletes */
  readonly run: RunId;
  readonly records: readonly LiteratureRecord[];
}

/** Block access that the domain code is given: a local store, or Helia over Bitswap. Bytes are verified by hash. */
export interface BlockSource {
  /** @throws `not_found` when nobody who is reachable has it, `corrupt` when bytes do not hash to `cid` */
  get(cid: CidString, signal?: AbortSignal): Promise<Uint8Array>;
  has(cid: CidString, signal?: AbortSignal): Promise<boolean>;
}

/** A block store that can be written. `putMany` is one transaction where the platform has them. */
export interface BlockStore extends BlockSource {
  /**
   * Several blocks at once, in the order of their addresses; one read where the platform has that. They may be views of
   * something larger: whoever keeps one copies it.
   * @throws `not_found`
   */
  getMany(cids: readonly CidString[], signal?: AbortSignal): Promise<readonly Uint8Array[]>;
  putMany(blocks: readonly { cid: CidString; bytes: Uint8Array }[], signal?: AbortSignal): Promise<void>;
  delete(cid: CidString, signal?: AbortSignal): Promise<void>;
  /** Deletes blocks; one that is not here is no failure. One transaction where the platform has them. */
  deleteMany(cids: readonly CidString[], signal?: AbortSignal): Promise<void>;
}

/** The block store of a device, which can be gone through. */
export interface DeviceBlocks extends BlockStore {
  /**
   * The addresses of all blocks that are here, each once, as those of dag-cbor blocks, in no order. A block that is
   * written or deleted meanwhile may be among them or not.
   */
  list(signal?: AbortSignal): AsyncIterable<CidString>;
}
