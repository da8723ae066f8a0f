import type { SearchRequest, SegmentManifest, ShardAnswer } from '../../contracts/search.ts';
import type { CidString } from '../../lib/ids.ts';

/** This device's shard as the room's peer uses it: in a worker in a tab, in-process on Node. */
export interface DeviceSearch {
  /** picks up segments that another tab of the device has added or removed */
  reload(signal: AbortSignal): Promise<void>;
  /** indexes a dataset whose blocks are on this device */
  index(dataset: CidString, signal: AbortSignal): Promise<SegmentManifest>;
  remove(dataset: CidString, signal: AbortSignal): Promise<void>;
  search(request: SearchRequest, signal: AbortSignal): Promise<ShardAnswer>;
  related(recordId: string, topK: number, signal: AbortSignal): Promise<ShardAnswer>;
}
