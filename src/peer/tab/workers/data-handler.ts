import type { DeviceBlocks } from '../../../contracts/dataset.ts';
import type { Action, Json, StepProgress } from '../../../contracts/workflow.ts';
import { createDataActions } from '../../../data/actions.ts';
import type { SweepResult, SweepRoots } from '../../../data/sweep.ts';
import { sweepBlocks } from '../../../data/sweep.ts';
import { systemClock } from '../../../lib/clock.ts';
import { exposeWorker } from '../../../lib/worker-call-expose.ts';
import type { HandlerContext } from '../../../lib/worker-call-wire.ts';
import { openRoomStorage } from '../storage.ts';
import { notReady } from './not-ready.ts';
import type { ActionCall, RoomInit } from './protocol.ts';

/** Hashes and writes datasets, and deletes what belongs to none. */
export type DataWorker = {
  readonly init: (args: RoomInit) => Promise<void>;
  readonly act: (args: ActionCall, context: HandlerContext) => Promise<Json>;
  /** the caller holds the room's blocks for deleting */
  readonly sweep: (args: SweepRoots, context: HandlerContext) => Promise<SweepResult>;
};

/** The worker's whole program. */
export function runDataWorker(): void {
  let room: { readonly actions: Readonly<Record<string, Action>>; readonly blocks: DeviceBlocks } | undefined;
  const opened = (what: string) => {
    if (room === undefined) throw notReady(what);
    return room;
  };
  const handlers: DataWorker = {
    async init(args) {
      const { blocks } = await openRoomStorage(args.room);
      room = { blocks, actions: { ...createDataActions({ blocks, clock: systemClock, device: args.device }) } };
    },
    async act({ name, inputs, runId }, { signal, progress }) {
      const action = opened(name).actions[name];
      if (action === undefined) throw notReady(name);
      return action(inputs, { runId, signal, progress: (p: StepProgress) => progress(p) });
    },
    // listing and decoding all pages would be felt on the page
    sweep: (roots, { signal }) => sweepBlocks(opened('sweep').blocks, roots, { clock: systemClock, signal }),
  };
  exposeWorker(handlers);
}
