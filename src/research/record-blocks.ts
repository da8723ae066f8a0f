import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { MAX_BLOCK_BYTES } from '../contracts/dataset.ts';
import type { RecordBatch } from '../contracts/dataset.ts';
import type { LiteratureRecord } from '../contracts/records.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { CidString, RunId } from '../lib/ids.ts';

export interface RecordBlock {
  readonly cid: CidString;
  readonly bytes: Uint8Array;
}

/**
 * Encodes fetched records as {@link RecordBatch} blocks, halved until each fits.
 * @returns blocks in the order of the records; none for no records
 * @throws `payload_too_large` when a single record exceeds `maxBytes`
 */
export async function encodeRecordBlocks(
  records: readonly LiteratureRecord[],
  run: RunId,
  maxBytes: number = MAX_BLOCK_BYTES,
): Promise<RecordBlock[]> {
  if (records.length === 0) return [];
  const batch: RecordBatch = { run, records };
  const bytes = dagCbor.encode(batch);
  if (bytes.byteLength <= maxBytes) return [{ cid: await cidOf(bytes), bytes }];
  if (records.length === 1) {
    throw new TabmeshError('payload_too_large', `the record ${records[0]?.id ?? ''} is larger than ${maxBytes} bytes`, {
      hint: 'Narrow the search so that it leaves this record out.',
    });
  }
  const middle = Math.ceil(records.length / 2);
  const head = await encodeRecordBlocks(records.slice(0, middle), run, maxBytes);
  return [...head, ...(await encodeRecordBlocks(records.slice(middle), run, maxBytes))];
}

async function cidOf(bytes: Uint8Array): Promise<CidString> {
  return CID.createV1(dagCbor.code, await sha256.digest(bytes)).toString() as CidString;
}
