import type { DatasetSummary } from '../../contracts/dataset.ts';
import type { Action, Json } from '../../contracts/workflow.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';

/**
 * The workflow action `index.build`: `{dataset: DatasetSummary}` → `{dataset, count}`. Lists the dataset in the room as held by
 * this device, and indexes it. An empty collection (no data CID) has nothing to index.
 * @param publish see `RoomDatasets.publish`
 */
export function indexAction(publish: (summary: DatasetSummary, signal: AbortSignal) => Promise<void>): Action {
  return async (inputs, { signal, progress }): Promise<Json> => {
    const summary = isObject(inputs) ? inputs['dataset'] : undefined;
    if (!isObject(summary) || !('data' in summary)) {
      throw new TabmeshError('invalid_input', 'index.build needs the summary of a dataset');
    }
    if (summary['data'] === null) return { dataset: null, count: 0 };
    const { data, manifest, name, count, bytes, query, source, createdAt, complete } =
      summary as unknown as DatasetSummary;
    const dataset: DatasetSummary = { data, manifest, name, count, bytes, query, source, createdAt, complete };
    progress({ done: 0, total: dataset.count, message: `Indexing ${dataset.count} records` });
    try {
      await publish(dataset, signal);
    } catch (thrown) {
      const error = toTabmeshError(thrown);
      if (signal.aborted) throw error;
      // the records are stored whatever became of the index: say where
      const details = { ...error.details, dataset: dataset.data, fetched: dataset.count };
      throw TabmeshError.fromWire({ ...error.toWire(), details });
    }
    progress({ done: dataset.count, total: dataset.count, message: 'Indexed' });
    return { dataset: dataset.data, count: dataset.count };
  };
}
