import type { CidString } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { cid } from '../fields.ts';

/** A large dataset over a slow link. */
const TIMEOUT_MS = 30 * 60_000;

/** Keep a copy of a dataset on this device. */
export const keepDataset = defineTool({
  name: 'keep_dataset',
  category: 'data',
  title: 'Keep a dataset',
  description:
    'Copies a dataset from the devices that hold it to the one that is called, and indexes it there, so that it stays searchable ' +
    'when the others are away. Name the place to choose the device.',
  access: 'compute',
  runtime: 'auto',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ dataset: cid('CID of the dataset, as list_datasets names it') }),
  output: z.strictObject({ kept: z.string(), device: z.string().check(z.describe('where the copy is')) }),
  async run({ ports, signal }, { dataset: data }) {
    await ports.datasets.keep(data as CidString, signal);
    return { kept: data, device: ports.self.device };
  },
});
