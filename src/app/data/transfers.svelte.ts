import { SvelteMap } from 'svelte/reactivity';
import type { RoomClient } from '../../contracts/app.ts';
import type { RoomDataset } from '../../contracts/ports.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import { toast } from '../ui/announce.svelte.ts';
import { carFileName } from './dataset-view.ts';
import { download } from '../state/download.ts';

export type TransferKind = 'export' | 'keep';

export type Transfer =
  | { readonly kind: TransferKind; readonly state: 'running'; readonly startedAt: number; readonly cancel: () => void }
  | { readonly kind: TransferKind; readonly state: 'failed'; readonly error: WireError };

/** By dataset; outlives the views, so that a transfer goes on, and is still seen, when one leaves and comes back. */
const transfers = new SvelteMap<string, Transfer>();

/** The transfer of a dataset that runs, or has failed and was not dismissed. */
export function transferOf(dataset: RoomDataset): Transfer | undefined {
  return transfers.get(dataset.data);
}

/** Forgets a failed transfer. */
export function dismissTransfer(dataset: RoomDataset): void {
  if (transfers.get(dataset.data)?.state === 'failed') transfers.delete(dataset.data);
}

/** Fetches a dataset from other devices and keeps it here. Never rejects: failures are in {@link transferOf}. */
export function keepHere(client: RoomClient, dataset: RoomDataset): Promise<void> {
  return transfer(dataset, 'keep', async (signal) => {
    await client.keepDataset(dataset.data, signal);
    toast(`“${dataset.name}” is kept on this device`);
  });
}

/** Saves a dataset as a CAR file. Never rejects: failures are in {@link transferOf}. */
export function exportCar(client: RoomClient, dataset: RoomDataset): Promise<void> {
  return transfer(dataset, 'export', async (signal) => {
    const car = await client.exportDataset(dataset.data, signal);
    signal.throwIfAborted();
    download(car, carFileName(dataset));
    toast(`“${dataset.name}” exported`);
  });
}

async function transfer(
  dataset: RoomDataset,
  kind: TransferKind,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (transfers.get(dataset.data)?.state === 'running') return;
  const controller = new AbortController();
  const cancel = () => {
    controller.abort();
  };
  transfers.set(dataset.data, { kind, state: 'running', startedAt: Date.now(), cancel });
  try {
    await work(controller.signal);
    transfers.delete(dataset.data);
  } catch (thrown) {
    if (controller.signal.aborted) {
      transfers.delete(dataset.data);
      return;
    }
    const error = toTabmeshError(thrown).toWire();
    transfers.set(dataset.data, { kind, state: 'failed', error });
    toast(`“${dataset.name}”: ${error.message}`, { tone: 'failed' });
  }
}
