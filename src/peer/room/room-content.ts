import type { WorkflowDefinition } from '../../contracts/workflow.ts';
import { dataBlockGroups } from '../../data/blocks.ts';
import { verifyBlock } from '../../data/codec.ts';
import { networkBlocks } from '../../mesh/node/network-blocks.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import { Transfers } from '../../mesh/transfer/transfers.ts';
import type { CallFeed } from '../../tools/watching/feed.ts';
import { collectLiterature } from '../../workflow/templates/collect-literature.ts';
import { RoomDatasets } from './datasets.ts';
import type { RoomPlatform } from './room-platform.ts';
import { RoomSearch } from './room-search.ts';
import { RunBook } from './run-book.ts';

/** The workflows that this version can run. */
const WORKFLOWS: readonly WorkflowDefinition[] = [collectLiterature];

/** What the room is about: its datasets and how they travel, the runs that make them here, and search over them. */
export interface RoomContent {
  readonly transfers: Transfers;
  readonly datasets: RoomDatasets;
  readonly runs: RunBook;
  readonly search: RoomSearch;
}

export interface RoomContentOptions {
  readonly platform: RoomPlatform;
  readonly node: RoomNode;
  /** it is made after its content, which uses it only when it is asked for something */
  readonly mesh: () => RoomMesh;
  readonly calls: Pick<CallFeed, 'sent'>;
}

/** Makes the {@link RoomContent} of a peer. */
export function createRoomContent({ platform, node, mesh, calls }: RoomContentOptions): RoomContent {
  const { peer, deviceKey, replica, blocks, hold, clock, log } = platform;
  const { membership } = node.libp2p.services;
  const transfers = new Transfers({
    node: node.libp2p,
    membership,
    tree: { blocksOf: dataBlockGroups, verify: (block) => verifyBlock(block, 'the block') },
    local: blocks,
    clock,
  });
  const datasets = new RoomDatasets({
    replica,
    local: blocks,
    network: networkBlocks(node),
    transfers,
    peersOf: (holder) => membership.peersOf(holder),
    search: platform.search,
    hold,
    online: () =>
      new Set(
        mesh()
          .list()
          .map(({ place }) => place.device),
      ),
    log,
  });
  const runs = new RunBook(
    platform.executor((summary, signal) => datasets.publish(summary, signal)),
    WORKFLOWS,
    hold,
    log,
  );
  const search = new RoomSearch({
    replica,
    datasets,
    search: platform.search,
    mesh,
    self: { peer, device: deviceKey.id },
    watched: (request, traceparent, place, run) => calls.sent(request, traceparent, place, run),
    clock,
  });
  return { transfers, datasets, runs, search };
}
