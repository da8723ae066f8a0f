import type { CidString, DeviceId, PeerId } from '../lib/ids.ts';
import type { WireError } from '../lib/errors.ts';
import type { LiteratureRecord } from './records.ts';

/** What a search engine is given for each record. */
export interface IndexableRecord {
  readonly cid: CidString;
  readonly record: LiteratureRecord;
}

/** A dataset that a device has indexed: one segment of the device's shard. Immutable once built. */
export interface SegmentManifest {
  readonly dataset: CidString;
  readonly count: number;
  /** which engine and embedder built it; an index refuses vectors of another */
  readonly engine: string;
  readonly embedder: EmbedderInfo;
  readonly builtAt: string;
}

export interface EmbedderInfo {
  readonly id: string;
  readonly version: number;
  readonly dimension: number;
  readonly normalised: boolean;
}

/** One hit of one shard: small on purpose, the whole record is fetched by `recordCid`. */
export interface SearchHit {
  readonly recordCid: CidString;
  readonly recordId: string;
  readonly dataset: CidString;
  readonly title: string;
  /** plain text, at most 300 characters */
  readonly snippet: string;
  /** [start, end) offsets of matched terms in `snippet` and `title`, in UTF-16 code units, ascending, not overlapping */
  readonly snippetMarks: readonly (readonly [number, number])[];
  readonly titleMarks: readonly (readonly [number, number])[];
  readonly authors: readonly string[];
  /** number of authors when `authors` is cut at 6 */
  readonly authorCount: number;
  readonly venue: string | null;
  readonly year: number | null;
  readonly url: string;
  readonly retracted: boolean;
  readonly score: number;
}

export interface SearchRequest {
  readonly query: string;
  readonly topK: number;
}

/** What one device's shard answers. */
export interface ShardAnswer {
  readonly hits: readonly SearchHit[];
  /** all matches, beyond `topK` too */
  readonly total: number;
  /** records in the shard */
  readonly searched: number;
  /** datasets that the shard covers */
  readonly datasets: readonly CidString[];
  readonly tookMs: number;
}

/** How one device took part in a search over the room. */
export type DeviceAnswer =
  | {
      readonly status: 'answered';
      readonly device: DeviceId;
      readonly peer: PeerId;
      readonly name: string;
      readonly hits: number;
      readonly searched: number;
      /** round trip seen by the asker, ms */
      readonly tookMs: number;
      readonly direct: boolean;
    }
  | {
      readonly status: 'failed';
      readonly device: DeviceId;
      readonly peer: PeerId;
      readonly name: string;
      readonly error: WireError;
    }
  | {
      readonly status: 'away';
      readonly device: DeviceId;
      readonly name: string;
      readonly datasets: readonly CidString[];
    };

/** A hit of the whole room: the shard's hit and who answered it. */
export interface RoomHit extends SearchHit {
  readonly device: DeviceId;
  readonly deviceName: string;
  /** other devices that returned the same record */
  readonly alsoOn: readonly DeviceId[];
}

export interface RoomSearchResult {
  readonly query: string;
  readonly hits: readonly RoomHit[];
  readonly total: number;
  readonly devices: readonly DeviceAnswer[];
  /** datasets of the room that nobody who answered holds */
  readonly missing: readonly {
    readonly dataset: CidString;
    readonly name: string;
    readonly heldBy: readonly string[];
  }[];
  readonly tookMs: number;
}

/** The search side of a device: everything indexed here, over all its segments. Runs in a worker in a tab. */
export interface ShardSearch {
  /**
   * Loads the persisted segments; safe to call again after another tab of the device added or removed one.
   * @throws `format_newer` or `corrupt` for segments that cannot be read, after all others have been loaded;
   * `details.segments` names them, and they are left as they are
   */
  load(signal?: AbortSignal): Promise<void>;
  /**
   * Indexes a dataset and persists the segment. Indexing the same dataset again replaces nothing and returns the manifest.
   * A corrupt segment of the dataset is replaced.
   * @throws `quota_exceeded` and leaves what was stored intact; `format_newer` when a newer app has indexed it
   */
  addSegment(dataset: CidString, records: readonly IndexableRecord[], signal?: AbortSignal): Promise<SegmentManifest>;
  /** Removing what is not there does nothing. @throws `format_newer`, and leaves it as it is */
  removeSegment(dataset: CidString, signal?: AbortSignal): Promise<void>;
  segments(): Promise<readonly SegmentManifest[]>;
  /** @throws `invalid_input` for a query without a word, or a `topK` that is not a whole number from 1 */
  search(request: SearchRequest, signal?: AbortSignal): Promise<ShardAnswer>;
  /** records near the given one by vector; the record itself is left out. @throws `not_found` */
  related(recordId: string, topK: number, signal?: AbortSignal): Promise<ShardAnswer>;
}
