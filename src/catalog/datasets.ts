import type { Provenance } from '../contracts/dataset.ts';
import type { RoomDataset } from '../contracts/ports.ts';
import type * as z from '../tools/zod.ts';
import type { dataset, provenance } from './schemas.ts';

/** The wire form of a dataset of the room. */
export function datasetToWire(known: RoomDataset): z.output<typeof dataset> {
  return {
    dataset: known.data,
    manifest: known.manifest,
    name: known.name,
    count: known.count,
    bytes: known.bytes,
    source: known.source,
    query: known.query,
    created_at: known.createdAt,
    complete: known.complete,
    holders: known.holders.map(({ device, name, online }) => ({ device, name, online })),
  };
}

/** The wire form of where a dataset comes from. */
export function provenanceToWire(from: Provenance): z.output<typeof provenance> {
  return {
    tool: from.tool,
    source: from.source,
    query: from.query,
    query_translation: from.queryTranslation,
    started_at: from.startedAt,
    finished_at: from.finishedAt,
    missing: [...from.missing],
    complete: from.complete,
  };
}
