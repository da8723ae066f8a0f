import type { BlockSource, DatasetManifest, DatasetRoot, RecordEntry } from '../contracts/dataset.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { mapBounded } from '../lib/semaphore.ts';
import { decodeBlock, parseCid } from './codec.ts';
import { manifestShape, pageShape, recordShape, rootShape } from './formats.ts';
import { PAGE_RECORDS } from './pages.ts';
import type { Shape } from './shape.ts';

/**
 * Blocks asked for at once: enough to hide the round trip to another device (32 in flight is where a mesh link is
 * saturated), few enough to leave it usable for others.
 */
export const READ_PARALLEL = 16;

/**
 * Reads the root of a dataset.
 * @throws `invalid_input` (no CID of ours), `not_found`, `corrupt`, `format_newer`; `signal.reason`
 */
export function readDataset(data: CidString, source: BlockSource, signal: AbortSignal): Promise<DatasetRoot> {
  return readBlock(data, source, rootShape, 'the dataset', signal);
}

/** Reads a dataset's manifest: its name, times and provenance. @throws as {@link readDataset} */
export function readManifest(manifest: CidString, source: BlockSource, signal: AbortSignal): Promise<DatasetManifest> {
  return readBlock(manifest, source, manifestShape, 'the manifest', signal);
}

/** Reads one record by its own address. @throws as {@link readDataset} */
export async function readRecord(cid: CidString, source: BlockSource, signal: AbortSignal): Promise<RecordEntry> {
  return { cid, record: await readBlock(cid, source, recordShape, 'the record', signal) };
}

/**
 * Reads records of a dataset in the order of their ids; only the pages they are on are opened.
 * @param offset first record, from 0; at or after the end gives an empty list
 * @param limit records at most
 * @throws as {@link readDataset}; `invalid_input` for an offset or limit that is no whole number from 0
 */
export async function readRecords(
  data: CidString,
  offset: number,
  limit: number,
  source: BlockSource,
  signal: AbortSignal,
): Promise<readonly RecordEntry[]> {
  checkPosition('offset', offset);
  checkPosition('limit', limit);
  const root = await readDataset(data, source, signal);
  const end = Math.min(offset + limit, root.count);
  const cids: CidString[] = [];
  for (let at = offset; at < end;) {
    const index = Math.floor(at / PAGE_RECORDS);
    const first = index * PAGE_RECORDS;
    const page = await readPage(root, index, source, signal);
    cids.push(...page.slice(at - first, end - first));
    at = first + PAGE_RECORDS;
  }
  return mapBounded(cids, READ_PARALLEL, (cid, _, inner) => readRecord(cid, source, inner), signal);
}

/**
 * Reads one page of a dataset.
 * @returns the addresses of its records
 * @throws `corrupt` when the page does not hold as many records as the root's count says
 */
export async function readPage(
  root: DatasetRoot,
  index: number,
  source: BlockSource,
  signal: AbortSignal,
): Promise<readonly CidString[]> {
  const cid = root.pages[index];
  if (cid === undefined) throw corruptPage(index, 'is missing from the root');
  const { records } = await readBlock(cid, source, pageShape, 'a page', signal);
  const expected = Math.min(PAGE_RECORDS, root.count - index * PAGE_RECORDS);
  if (records.length !== expected) throw corruptPage(index, `lists ${records.length} records, not ${expected}`);
  return records;
}

async function readBlock<T>(
  cid: CidString,
  source: BlockSource,
  shape: Shape<T>,
  what: string,
  signal: AbortSignal,
): Promise<T> {
  parseCid(cid);
  signal.throwIfAborted();
  const bytes = await source.get(cid, signal);
  return shape(await decodeBlock({ cid, bytes }, what), what);
}

function checkPosition(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new TabmeshError('invalid_input', `${name} is ${value}`, { hint: 'Give a whole number from 0.' });
}

function corruptPage(index: number, problem: string): TabmeshError {
  return new TabmeshError('corrupt', `page ${index} of the dataset ${problem}`);
}
