import { encode } from '@ipld/dag-cbor';
import { varint } from 'multiformats';
import type { BlockSource } from '../contracts/dataset.ts';
import type { CidString } from '../lib/ids.ts';
import { mapBounded } from '../lib/semaphore.ts';
import { datasetBlocks, type DatasetAddress } from './blocks.ts';
import { parseCid, verifyBlock, type Block } from './codec.ts';
import { READ_PARALLEL } from './read.ts';

/**
 * Writes datasets as one CAR file (CARv1, https://ipld.io/specs/transport/car/carv1/): its roots are the manifests, from
 * which everything is reached; parents come before children, and a block that several datasets share comes once.
 * @returns the file in pieces; reading ahead is bounded
 * @throws as `readDataset`
 */
export async function* exportCar(
  datasets: readonly DatasetAddress[],
  source: BlockSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const roots = datasets.map(({ manifest }) => parseCid(manifest));
  yield framed([encode({ version: 1, roots })]);
  const written = new Set<CidString>();
  for (const dataset of datasets) {
    for await (const cids of inGroups(datasetBlocks(dataset, source, signal), READ_PARALLEL)) {
      const fresh = new Set(cids.filter((cid) => !written.has(cid)));
      for (const block of await mapBounded(
        fresh,
        READ_PARALLEL,
        (cid, _, inner) => getBlock(cid, source, inner),
        signal,
      )) {
        written.add(block.cid);
        yield framed([parseCid(block.cid).bytes, block.bytes]);
      }
    }
  }
}

async function getBlock(cid: CidString, source: BlockSource, signal: AbortSignal): Promise<Block> {
  const block = { cid, bytes: await source.get(cid, signal) };
  await verifyBlock(block, 'the block');
  return block;
}

/** A section of the file: the length of the parts as an unsigned varint, then the parts. */
function framed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const prefix = varint.encodingLength(length);
  const section = new Uint8Array(prefix + length);
  varint.encodeTo(length, section, 0);
  let at = prefix;
  for (const part of parts) {
    section.set(part, at);
    at += part.byteLength;
  }
  return section;
}

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[], void, void> {
  let group: T[] = [];
  for await (const item of items) {
    if (group.push(item) < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
