import type { BlockSource, BlockStore, DatasetManifest, DatasetSummary, RecordEntry } from '../../contracts/dataset.ts';
import type { DatasetsPort, RoomDataset } from '../../contracts/ports.ts';
import { deletableBlocks } from '../../data/blocks.ts';
import { exportCar } from '../../data/car-export.ts';
import { readManifest, readRecord, readRecords } from '../../data/read.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString, DeviceId, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { RoomReplica } from '../../mesh/replica/replica.ts';
import type { BlockHold } from '../../mesh/storage/hold.ts';
import type { Transfers } from '../../mesh/transfer/transfers.ts';
import { copyDataset } from './copy-dataset.ts';
import type { DeviceSearch } from './device-search.ts';

/** Blocks of one deletion: few transactions, and none that others wait long for. */
const DELETE_GROUP = 256;

export interface RoomDatasetsOptions {
  readonly replica: RoomReplica;
  /** this device's blocks */
  readonly local: BlockStore;
  /** the room's blocks, over Bitswap */
  readonly network: BlockSource;
  readonly transfers: Pick<Transfers, 'fetch'>;
  /** linked peers of a device, the best link first */
  readonly peersOf: (device: DeviceId) => readonly PeerId[];
  readonly search: DeviceSearch;
  /** keeps deleting apart from writing, over all tabs of the device */
  readonly hold: BlockHold;
  readonly online: () => ReadonlySet<DeviceId>;
  readonly log: Log;
}

/** The datasets of the room: what there is, reading it, keeping a copy, letting go of it. */
export class RoomDatasets implements DatasetsPort {
  readonly #options: RoomDatasetsOptions;

  constructor(options: RoomDatasetsOptions) {
    this.#options = options;
  }

  /** newest first; every device that holds one is named */
  list(): readonly RoomDataset[] {
    const { replica, online } = this.#options;
    const here = online();
    const found = new Map<CidString, RoomDataset>();
    for (const view of Object.values(replica.state().devices)) {
      const self = view.device === replica.device;
      const holder = { device: view.device, name: view.name, self, online: self || here.has(view.device) };
      for (const summary of Object.values(view.datasets)) {
        const known = found.get(summary.data);
        // our own word first: others may say what they like of the same records
        const ours = known?.holders.some((other) => other.self) ?? false;
        const better = known === undefined || self || (!ours && summary.createdAt < known.createdAt);
        found.set(summary.data, { ...(better ? summary : known), holders: [...(known?.holders ?? []), holder] });
      }
    }
    return [...found.values()].sort((a, b) =>
      a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : a.data < b.data ? -1 : 1,
    );
  }

  /** @throws `not_found` */
  find(data: CidString): RoomDataset {
    const dataset = this.list().find((candidate) => candidate.data === data);
    if (dataset === undefined) {
      throw new TabmeshError('not_found', `no device of this room lists the dataset ${data}`, {
        hint: 'Look at list_datasets for those there are.',
      });
    }
    return dataset;
  }

  manifest(data: CidString, signal: AbortSignal): Promise<DatasetManifest> {
    return readManifest(this.find(data).manifest, this.#options.network, signal);
  }

  records(data: CidString, offset: number, limit: number, signal: AbortSignal): Promise<readonly RecordEntry[]> {
    return readRecords(data, offset, limit, this.#options.network, signal);
  }

  record(cid: CidString, signal: AbortSignal): Promise<RecordEntry> {
    return readRecord(cid, this.#options.network, signal);
  }

  /** A CAR of these datasets, in pieces. */
  export(datasets: readonly CidString[], signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    return exportCar(
      datasets.map((data) => this.find(data)),
      this.#options.network,
      signal,
    );
  }

  /**
   * Lists a dataset whose blocks are here as held by this device, and indexes it. The caller holds `writing` since they were
   * written.
   */
  publish(summary: DatasetSummary, signal: AbortSignal): Promise<void> {
    const { replica, search, hold } = this.#options;
    // once more: the worker of a run may die under it, and with the run ends its hold
    return hold.writing(async () => {
      await replica.putDataset(summary);
      await replica.putSegment(await search.index(summary.data, signal));
    });
  }

  /** Copies a dataset from whoever holds it, and indexes it here. @throws `not_found` when nobody who holds it is here */
  keep(data: CidString, signal: AbortSignal): Promise<void> {
    return this.#options.hold.writing(() => this.#copy(data, signal));
  }

  /** Stores the datasets of a CAR file, lists and indexes them. @throws as `importCar`; nothing is kept then */
  import(car: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly DatasetSummary[]> {
    return this.#options.hold.writing(async () => {
      const { importCar } = await import('../../data/car-import.ts');
      const added = await importCar(car, this.#options.local, signal);
      for (const summary of added) await this.publish(summary, signal);
      return added;
    });
  }

  /**
   * Deletes this device's copy and its part of the index; blocks that another dataset kept here uses stay.
   * @throws `not_found`; `conflict` while a dataset is being written on this device; `format_newer` when a newer app lists
   * datasets here, which may share its blocks
   */
  delete(data: CidString, signal: AbortSignal): Promise<void> {
    return this.#options.hold.deleting(() => this.#forget(data, signal));
  }

  async #copy(data: CidString, signal: AbortSignal): Promise<void> {
    const { peersOf } = this.#options;
    const { holders, ...summary } = this.find(data);
    const others = holders.filter(({ self }) => !self).flatMap(({ device }) => peersOf(device));
    await copyDataset(summary, { ...this.#options, holders: others }, signal);
    await this.publish(summary, signal);
  }

  async #forget(data: CidString, signal: AbortSignal): Promise<void> {
    const { replica, local, search } = this.#options;
    const own = await replica.ownDatasets();
    const dataset = own.find((candidate) => candidate.data === data);
    if (dataset === undefined) throw new TabmeshError('not_found', 'this device keeps no copy of that dataset');
    const kept = own.filter((other) => other.data !== data);
    // before anything is unlisted: when another dataset cannot be read, this one is still there to be deleted later
    const deletable = await deletableBlocks(dataset, kept, local, signal);
    // others first, so that nobody asks for what is going
    await replica.removeSegment(data);
    await replica.removeDataset(data);
    await search.remove(data, signal);
    for (let at = 0; at < deletable.length; at += DELETE_GROUP) {
      await local.deleteMany(deletable.slice(at, at + DELETE_GROUP), signal);
    }
  }
}
