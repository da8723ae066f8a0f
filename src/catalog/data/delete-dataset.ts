import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { cid } from '../fields.ts';

/** Deleting thousands of blocks takes seconds; a person may be asked first. */
const TIMEOUT_MS = 120_000;

/** Delete this device's copy of a dataset. */
export const deleteDataset = defineTool({
  name: 'delete_dataset',
  category: 'data',
  title: 'Delete a dataset',
  description:
    'Deletes the copy of a dataset that one device keeps, with its part of the search index; copies of other devices stay. It runs ' +
    'at the device that is called: name the place. Called from another device, the person there is asked first.',
  access: 'write',
  runtime: 'auto',
  local: true,
  idempotent: false,
  destructive: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({ dataset: cid('CID of the dataset, as list_datasets names it') }),
  output: z.strictObject({ deleted: z.string(), device: z.string().check(z.describe('where the copy was')) }),
  precheck({ datasets }, { dataset: data }) {
    const isHere = datasets.list().some((each) => each.data === data && each.holders.some(({ self }) => self));
    if (!isHere) throw new TabmeshError('not_found', 'this device keeps no copy of that dataset');
  },
  async run({ ports, signal }, { dataset: data }) {
    await ports.datasets.delete(data as CidString, signal);
    return { deleted: data, device: ports.self.device };
  },
});
