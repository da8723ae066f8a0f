import type { KeyValueStore } from '../../contracts/kv.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { decodeSegment, type StoredSegment } from './format.ts';

const PREFIX = 'search/segment/';

/**
 * The persisted segments of a device, one key each. Since a segment never changes, two tabs of the device that write at
 * the same time write different keys, or the same content under one.
 */
export interface SegmentStore {
  /** datasets that have a segment, readable or not */
  list(): Promise<CidString[]>;
  /** true when there is a segment of the dataset, readable or not */
  has(dataset: CidString): Promise<boolean>;
  /**
   * @returns undefined when there is none
   * @throws `format_newer`, `corrupt`, `storage_failed`
   */
  read(dataset: CidString): Promise<StoredSegment | undefined>;
  /** @throws `quota_exceeded` or `storage_failed`; then nothing was written */
  write(segment: StoredSegment): Promise<void>;
  /** @throws `storage_failed` */
  delete(dataset: CidString): Promise<void>;
}

/** @param kv this device's storage of one room */
export function createSegmentStore(kv: KeyValueStore): SegmentStore {
  return {
    list: async () => {
      const keys = await stored(kv.keys(PREFIX));
      return keys.map((key) => key.slice(PREFIX.length) as CidString);
    },
    has: async (dataset) => (await stored(kv.keys(PREFIX + dataset))).includes(PREFIX + dataset),
    read: async (dataset) => {
      const value = await stored(kv.get<unknown>(PREFIX + dataset));
      return value === undefined ? undefined : decodeSegment(dataset, value);
    },
    write: (segment) => stored(kv.put(PREFIX + segment.manifest.dataset, segment)),
    delete: (dataset) => stored(kv.delete(PREFIX + dataset)),
  };
}

async function stored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw toTabmeshError(thrown, 'storage_failed');
  }
}
