import { code as DAG_CBOR } from '@ipld/dag-cbor';
import { base32 } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { BlockStore } from '../../contracts/dataset.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';

const PREFIX = 'block/';

/**
 * A block store over any {@link KeyValueStore}, so that a block has the guarantees of everything else that is stored:
 * durable when the promise resolves, all of a batch or none, quota errors told as such (blockstore-idb folds them into a
 * message, and writes one transaction a block). Blocks are kept under their multihash: a CID's codec does not matter.
 */
export function createBlockStore(store: KeyValueStore): BlockStore {
  return {
    async get(cid, signal) {
      signal?.throwIfAborted();
      const bytes = await store.get<Uint8Array>(keyOf(cid));
      if (bytes === undefined) {
        throw new TabmeshError('not_found', `the block ${cid} is not on this device`, { details: { cid } });
      }
      return bytes;
    },
    async has(cid, signal) {
      signal?.throwIfAborted();
      return (await store.get(keyOf(cid))) !== undefined;
    },
    async putMany(blocks, signal) {
      signal?.throwIfAborted();
      await store.batch(blocks.map(({ cid, bytes }) => ({ key: keyOf(cid), value: bytes })));
    },
    async delete(cid, signal) {
      signal?.throwIfAborted();
      await store.delete(keyOf(cid));
    },
  };
}

/** The addresses of all blocks of a store that {@link createBlockStore} writes, each as that of a dag-cbor block. */
export async function blockCids(store: KeyValueStore): Promise<readonly CidString[]> {
  const keys = await store.keys(PREFIX);
  return keys.map((key) => {
    const multihash = Digest.decode(base32.baseDecode(key.slice(PREFIX.length)));
    return CID.createV1(DAG_CBOR, multihash).toString() as CidString;
  });
}

/** @throws `invalid_input` when the text is not a CID */
function keyOf(cid: CidString): string {
  try {
    return PREFIX + base32.baseEncode(CID.parse(cid).multihash.bytes);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `"${cid}" is not a CID`, { cause });
  }
}
