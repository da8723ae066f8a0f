import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { datasetToWire } from '../datasets.ts';
import { dataset } from '../schemas.ts';

/** Answered from the replica, without asking anybody. */
const TIMEOUT_MS = 5000;

/** The datasets of the room. */
export const listDatasets = defineTool({
  name: 'list_datasets',
  category: 'data',
  title: 'List datasets',
  description:
    'Lists the datasets of the room: name, number of records, the query each was collected with, when, and which devices ' +
    'hold it. Use it to see what has been collected before collecting more, or to get the CID that get_dataset needs.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({ datasets: z.array(dataset) }),
  run: ({ ports }) => Promise.resolve({ datasets: ports.datasets.list().map(datasetToWire) }),
});
