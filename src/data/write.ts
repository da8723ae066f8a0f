import type { BlockStore, DatasetManifest, DatasetRoot, DatasetSummary, Provenance } from '../contracts/dataset.ts';
import type { LiteratureRecord } from '../contracts/records.ts';
import { FORMAT_VERSIONS } from '../contracts/versions.ts';
import type { CidString } from '../lib/ids.ts';
import { mapBounded } from '../lib/semaphore.ts';
import { encodeBlock, link, type Block } from './codec.ts';
import { compareText } from './order.ts';
import { PAGE_RECORDS } from './pages.ts';

/** Records encoded at once: hashing is done beside this thread, a few in flight keep it busy. */
const ENCODE_PARALLEL = 8;

export interface NewDataset {
  readonly records: readonly LiteratureRecord[];
  readonly name: string;
  readonly provenance: Provenance;
}

export interface WrittenDataset {
  readonly data: CidString;
  readonly manifest: CidString;
  /** records, duplicates counted once */
  readonly count: number;
  /** total bytes of the record blocks */
  readonly bytes: number;
  readonly summary: DatasetSummary;
}

/**
 * Writes records as an immutable dataset. Each record is a block of its own, so that equal records of different datasets
 * share one, and a search hit opens by its address. The same records, in whatever order, give the same `data`. All
 * records and pages are written in one batch, the root and the manifest after it: what has a name is whole.
 *
 * Duplicates: of several records with one id, the one with the smallest address is kept, whatever the order.
 * @throws `payload_too_large` when one record exceeds a block; `quota_exceeded`, `storage_failed` of the store;
 *   `signal.reason`
 */
export async function writeDataset(
  { records, name, provenance }: NewDataset,
  blocks: BlockStore,
  signal: AbortSignal,
): Promise<WrittenDataset> {
  const encoded = await mapBounded(
    records,
    ENCODE_PARALLEL,
    async (record) => ({ id: record.id, block: await encodeBlock(record, `the record ${record.id}`) }),
    signal,
  );
  const kept = withoutDuplicates(encoded);
  const pages = await encodePages(kept.map((block) => block.cid));
  const bytes = kept.reduce((sum, block) => sum + block.bytes.byteLength, 0);
  const root: DatasetRoot = {
    format: 'tabmesh/dataset',
    version: FORMAT_VERSIONS.dataset,
    count: kept.length,
    bytes,
    pages: pages.map((page) => page.cid),
  };
  const rootBlock = await encodeBlock({ ...root, pages: root.pages.map(link) }, 'the dataset root');
  const manifest: DatasetManifest = {
    format: 'tabmesh/dataset-manifest',
    version: FORMAT_VERSIONS.dataset,
    data: rootBlock.cid,
    name,
    provenance,
  };
  const manifestBlock = await encodeBlock({ ...manifest, data: link(manifest.data) }, 'the dataset manifest');

  await blocks.putMany([...kept, ...pages], signal);
  await blocks.putMany([rootBlock, manifestBlock], signal);
  const summary = summarise(root, manifest, manifestBlock.cid);
  return { data: rootBlock.cid, manifest: manifestBlock.cid, count: kept.length, bytes, summary };
}

/** What the replica is told of a dataset. */
export function summarise(root: DatasetRoot, manifest: DatasetManifest, manifestCid: CidString): DatasetSummary {
  const { query, source, finishedAt, complete } = manifest.provenance;
  return {
    data: manifest.data,
    manifest: manifestCid,
    name: manifest.name,
    count: root.count,
    bytes: root.bytes,
    query,
    source,
    createdAt: finishedAt,
    complete,
  };
}

/** One block for each id, in the order of ids. */
function withoutDuplicates(encoded: readonly { readonly id: string; readonly block: Block }[]): Block[] {
  const byId = new Map<string, Block>();
  for (const { id, block } of encoded) {
    const other = byId.get(id);
    if (other === undefined || compareText(block.cid, other.cid) < 0) byId.set(id, block);
  }
  return [...byId].sort(([a], [b]) => compareText(a, b)).map(([, block]) => block);
}

async function encodePages(records: readonly CidString[]): Promise<Block[]> {
  const pages: Block[] = [];
  for (let start = 0; start < records.length; start += PAGE_RECORDS) {
    const page = { records: records.slice(start, start + PAGE_RECORDS).map(link) };
    pages.push(await encodeBlock(page, 'a page of the dataset'));
  }
  return pages;
}
