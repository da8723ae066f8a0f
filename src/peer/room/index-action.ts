import type { DatasetSummary } from '../../contracts/dataset.ts';
import type { Action, Json } from '../../contracts/workflow.ts';
import { TabmeshError } from '../../lib/errors.ts';
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
    await publish(dataset, signal);
    progress({ done: dataset.count, total: dataset.count, message: 'Indexed' });
    return { dataset: dataset.data, count: dataset.count };
  };
}
