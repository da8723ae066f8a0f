import type { BlockStore, DatasetSummary, Provenance } from '../contracts/dataset.ts';
import type { LiteratureRecord } from '../contracts/records.ts';
import type { Action, Json, StepProgress } from '../contracts/workflow.ts';
import type { Clock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { CidString, DeviceId } from '../lib/ids.ts';
import { readWriteInputs, type WriteInputs } from './action-inputs.ts';
import { decodeBlock } from './codec.ts';
import { batchShape } from './formats.ts';
import { writeDataset, type NewDataset } from './write.ts';

export interface DataActionOptions {
  readonly blocks: BlockStore;
  readonly clock: Clock;
  /** the device that the dataset's provenance names */
  readonly device: DeviceId;
}

/** The workflow actions of this folder. */
export interface DataActions {
  /**
   * {@link WriteInputs} → `DatasetSummary`. When the batches hold no record, no dataset is written, and that is no
   * failure: the summary then has `data` and `manifest` null and `count` 0.
   */
  readonly 'dataset.write': Action;
}

/** Builds the actions. */
export function createDataActions({ blocks, clock, device }: DataActionOptions): DataActions {
  return {
    'dataset.write': async (json, { signal, progress }) => {
      const inputs = readWriteInputs(json);
      try {
        const records = await readBatches(inputs.batches, blocks, signal, progress);
        const dataset = { records, name: inputs.name, provenance: provenanceOf(inputs, device, clock) };
        return summaryJson(await writeOrMakeRoom(dataset, inputs.batches, blocks, signal));
      } finally {
        // nobody names the batches after this step: whatever became of it, they would stay for ever
        await deleteAll(inputs.batches, blocks);
      }
    },
  };
}

async function readBatches(
  batches: readonly CidString[],
  blocks: BlockStore,
  signal: AbortSignal,
  progress: (p: StepProgress) => void,
): Promise<readonly LiteratureRecord[]> {
  const records: LiteratureRecord[] = [];
  for (const [index, cid] of batches.entries()) {
    const bytes = await blocks.get(cid, signal);
    for (const record of batchShape(await decodeBlock({ cid, bytes }, 'the batch'), 'the batch').records) {
      records.push(record);
    }
    progress({ done: index + 1, total: batches.length, message: `Reading ${counted(records.length)}` });
  }
  progress({ done: batches.length, total: batches.length, message: `Storing ${counted(records.length)}` });
  return records;
}

/** Writes the dataset; in a full store it gives up the batches, which hold the same records, and tries once more. */
async function writeOrMakeRoom(
  dataset: NewDataset,
  batches: readonly CidString[],
  blocks: BlockStore,
  signal: AbortSignal,
): Promise<DatasetSummary | Empty> {
  if (dataset.records.length === 0) return emptySummary(dataset);
  try {
    return (await writeDataset(dataset, blocks, signal)).summary;
  } catch (thrown) {
    if (toTabmeshError(thrown).code !== 'quota_exceeded') throw withFetched(thrown, dataset);
  }
  await deleteAll(batches, blocks);
  try {
    return (await writeDataset(dataset, blocks, signal)).summary;
  } catch (thrown) {
    throw withFetched(thrown, dataset);
  }
}

/** A summary of nothing. */
type Empty = Omit<DatasetSummary, 'data' | 'manifest'> & { readonly data: null; readonly manifest: null };

function emptySummary({ name, provenance }: NewDataset): Empty {
  const { query, source, finishedAt, complete } = provenance;
  return { data: null, manifest: null, name, count: 0, bytes: 0, query, source, createdAt: finishedAt, complete };
}

function provenanceOf(inputs: WriteInputs, device: DeviceId, clock: Clock): Provenance {
  return {
    tool: inputs.tool,
    source: inputs.source,
    query: inputs.query,
    queryTranslation: inputs.query_translation,
    startedAt: inputs.started_at,
    finishedAt: new Date(clock.now()).toISOString(),
    requests: inputs.requests.flat(),
    missing: inputs.missing,
    parserVersion: inputs.parser_version,
    runId: inputs.run_id,
    device,
    complete: inputs.failure === null,
  };
}

/** The person learns how many records had come, though they could not be stored. */
function withFetched(thrown: unknown, { records }: NewDataset): TabmeshError {
  const error = toTabmeshError(thrown, 'storage_failed');
  return TabmeshError.fromWire({ ...error.toWire(), details: { ...error.details, fetched: records.length } });
}

async function deleteAll(cids: readonly CidString[], blocks: BlockStore): Promise<void> {
  // best effort: a batch that stays is only space, and the step's own outcome is what counts
  await Promise.allSettled([blocks.deleteMany(cids)]);
}

function summaryJson(summary: DatasetSummary | Empty): Json {
  return { ...summary };
}

function counted(records: number): string {
  return `${records.toLocaleString('en')} ${records === 1 ? 'record' : 'records'}`;
}
