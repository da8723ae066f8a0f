import type { KeyValueStore } from '../../contracts/kv.ts';
import type { RunState } from '../../contracts/workflow.ts';
import type { DatasetAddress } from '../../data/blocks.ts';
import type { SweepResult, SweepRoots } from '../../data/sweep.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { CidString, DeviceId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { RoomReplica } from '../../mesh/replica/replica.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';
import type { BlockHold } from '../../mesh/storage/hold.ts';
import { createSegmentStore } from '../../search/segment/store.ts';
import type { DeviceSearch } from './device-search.ts';
import type { RunBook } from './run-book.ts';

/** From the opening of a room, ms: its first seconds belong to joining and to the person, tidying can wait. */
const SWEEP_AFTER_MS = 5_000;
/**
 * What a sweep may take, ms. It makes way for this tab's own work, but another tab's collection waits for its end. To list a
 * million blocks takes about as long; to delete some 30 µs each, and what is left then goes the next time.
 */
const SWEEP_LIMIT_MS = 10_000;

/** Where a store says whose it is. */
export const OWNER = 'room/device';

export interface SweepRoomOptions {
  readonly replica: Pick<RoomReplica, 'device' | 'ownDatasets'>;
  readonly store: KeyValueStore;
  readonly hold: BlockHold;
  readonly search: Pick<DeviceSearch, 'remove'>;
  readonly runs: Pick<RunBook, 'list'>;
  readonly sweep: (roots: SweepRoots, signal: AbortSignal) => Promise<SweepResult>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Deletes what this device stores of the room and does not list: once, a while after the room was opened, unless somebody
 * writes or deletes blocks then. Never throws: what could not be done is logged, and tried when the room is opened again.
 */
export async function sweepRoom(options: SweepRoomOptions, signal: AbortSignal): Promise<void> {
  const { hold, clock, log } = options;
  try {
    await clock.sleep(SWEEP_AFTER_MS, signal);
    await hold.sweeping(async (interrupted) => {
      const deadline = startDeadline({
        clock,
        ms: SWEEP_LIMIT_MS,
        what: 'deleting what nothing lists',
        signal: AbortSignal.any([signal, interrupted]),
      });
      try {
        await sweepNow(options, deadline.signal);
      } finally {
        deadline.dispose();
      }
    });
  } catch (thrown) {
    const { code, message, hint } = toTabmeshError(thrown);
    const level = code === 'cancelled' || code === 'conflict' ? 'debug' : 'warn';
    log[level]('unlisted blocks not deleted', { reason: message, hint });
  }
}

async function sweepNow(options: SweepRoomOptions, signal: AbortSignal): Promise<void> {
  const { replica, store, search, runs, sweep, clock, log } = options;
  const startedAt = clock.now();
  const owner = await store.get<DeviceId>(OWNER);
  if (owner !== undefined && owner !== replica.device) throw othersStore(owner);
  const kept = await replica.ownDatasets();
  const listed = new Set(kept.map(({ data }) => data));
  // what a deletion that was broken off has left in the index would be found and could not be opened
  const segments = (await createSegmentStore(store).list()).filter((dataset) => !listed.has(dataset));
  for (const dataset of segments) await search.remove(dataset, signal);
  const roots: SweepRoots = {
    kept: kept.map(({ data, manifest }) => ({ data, manifest })),
    unlisted: runs.list().flatMap(writtenInVain),
  };
  const { deleted, kept: blocks } = await sweep(roots, signal);
  // last, since a full store takes it only now
  if (owner === undefined) await store.put(OWNER, replica.device);
  if (deleted === 0 && segments.length === 0) return;
  const tookMs = clock.now() - startedAt;
  log.info('unlisted blocks deleted', { deleted, kept: blocks, segments: segments.length, tookMs });
}

/** A device that lost its key has another id, and lists nothing of what its old one stored; that can still be kept anew. */
function othersStore(owner: DeviceId): TabmeshError {
  return new TabmeshError('forbidden', 'what is stored here of this room belongs to a device with another key', {
    hint: 'Keep the datasets you need again, or leave the room and join it anew.',
    details: { owner },
  });
}

/** The datasets that a run wrote and that were perhaps never listed, since it failed after that: they are told as kept. */
function writtenInVain({ status, definition, steps }: RunState): readonly DatasetAddress[] {
  if (status === 'completed') return [];
  return definition.steps.flatMap(({ id, action }) => {
    const step = steps[id];
    if (action !== 'dataset.write' || step?.status !== 'completed' || !isObject(step.result)) return [];
    const { data, manifest } = step.result;
    if (typeof data !== 'string' || typeof manifest !== 'string') return [];
    return [{ data: data as CidString, manifest: manifest as CidString }];
  });
}
