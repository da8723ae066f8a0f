import type { Json, StepProgress } from '../../../contracts/workflow.ts';
import type { DataActions } from '../../../data/actions.ts';
import { createDataActions } from '../../../data/actions.ts';
import { systemClock } from '../../../lib/clock.ts';
import { exposeWorker } from '../../../lib/worker-call-expose.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import { createBlockStore } from '../../../mesh/storage/blocks.ts';
import { openRoomStorage } from '../storage.ts';
import { notReady } from './not-ready.ts';
import type { ActionCall, RoomInit } from './protocol.ts';

/** Hashes and writes datasets. */
export type DataWorker = {
  readonly init: (args: RoomInit) => Promise<void>;
  readonly act: (args: ActionCall, context: HandlerContext) => Promise<Json>;
};

/** The worker's whole program. */
export function runDataWorker(): void {
  let actions: DataActions | undefined;
  const handlers: DataWorker = {
    async init({ room, device }) {
      const { blocks } = await openRoomStorage(room);
      actions = createDataActions({ blocks: createBlockStore(blocks), clock: systemClock, device });
    },
    async act({ name, inputs, runId }, { signal, progress }) {
      const action = actions === undefined ? undefined : actions[name as keyof DataActions];
      if (action === undefined) throw notReady(name);
      return action(inputs, { runId, signal, progress: (p: StepProgress) => progress(p) });
    },
  };
  exposeWorker(handlers);
}
