import type { BlockStore } from '../../../contracts/dataset.ts';
import type { SearchRequest, SegmentManifest, ShardAnswer, ShardSearch } from '../../../contracts/search.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { CidString } from '../../../lib/ids.ts';
import { exposeWorker } from '../../../lib/worker-call-expose.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import { createShardSearch } from '../../../search/shard.ts';
import { loadShard } from '../../room/load-shard.ts';
import { indexDataset } from '../../room/local-search.ts';
import { consoleLog } from '../console-log.ts';
import { openRoomStorage } from '../storage.ts';
import { notReady } from './not-ready.ts';
import type { RoomInit } from './protocol.ts';

/** Builds and asks this device's shard. */
export type SearchWorker = {
  readonly init: (args: RoomInit) => Promise<void>;
  readonly reload: (args: null, context: HandlerContext) => Promise<void>;
  readonly index: (args: { readonly dataset: CidString }, context: HandlerContext) => Promise<SegmentManifest>;
  readonly remove: (args: { readonly dataset: CidString }, context: HandlerContext) => Promise<void>;
  readonly search: (args: SearchRequest, context: HandlerContext) => Promise<ShardAnswer>;
  readonly related: (
    args: { readonly recordId: string; readonly topK: number },
    context: HandlerContext,
  ) => Promise<ShardAnswer>;
};

/** The worker's whole program. */
export function runSearchWorker(): void {
  let room: { readonly shard: ShardSearch; readonly blocks: BlockStore } | undefined;
  const opened = () => {
    if (room === undefined) throw notReady('search');
    return room;
  };
  const handlers: SearchWorker = {
    async init(args) {
      const { store, blocks } = await openRoomStorage(args.room);
      const shard = createShardSearch({ store, clock: systemClock });
      await loadShard(shard, consoleLog);
      room = { shard, blocks };
    },
    reload: (_args, { signal }) => loadShard(opened().shard, consoleLog, signal),
    index: ({ dataset }, { signal }) => indexDataset(dataset, opened().blocks, opened().shard, signal),
    remove: ({ dataset }, { signal }) => opened().shard.removeSegment(dataset, signal),
    search: (request, { signal }) => opened().shard.search(request, signal),
    related: ({ recordId, topK }, { signal }) => opened().shard.related(recordId, topK, signal),
  };
  exposeWorker(handlers);
}
