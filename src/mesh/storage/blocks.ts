import { code as DAG_CBOR } from '@ipld/dag-cbor';
import { base32 } from 'multiformats/bases/base32';
import { CID, type MultihashDigest } from 'multiformats';
import * as Digest from 'multiformats/hashes/digest';
import type { DeviceBlocks } from '../../contracts/dataset.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';

const PREFIX = 'block/';

/**
 * A block store over any {@link KeyValueStore}, so that a block has the guarantees of everything else that is stored:
 * durable when the promise resolves, all of a batch or none, quota errors told as such (blockstore-idb folds them into a
 * message, and writes one transaction a block). Blocks are kept under their multihash: a CID's codec does not matter.
 */
export function createBlockStore(store: KeyValueStore): DeviceBlocks {
  return {
    async get(cid, signal) {
      signal?.throwIfAborted();
      const bytes = await store.get<Uint8Array>(keyOf(cid));
      if (bytes === undefined) throw absent(cid);
      return bytes;
    },
    async getMany(cids, signal) {
      signal?.throwIfAborted();
      const found = await store.getMany<Uint8Array>(cids.map(keyOf));
      return cids.map((cid, index) => {
        const bytes = found[index];
        if (bytes === undefined) throw absent(cid);
        return bytes;
      });
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
    async *list(signal) {
      for (const key of await store.keys(PREFIX)) {
        signal?.throwIfAborted();
        yield addressOf(Digest.decode(base32.baseDecode(key.slice(PREFIX.length))));
      }
    },
    async deleteMany(cids, signal) {
      signal?.throwIfAborted();
      await store.batch(cids.map((cid) => ({ key: keyOf(cid), value: undefined })));
    },
  };
}

/** Bitswap, datasets and records know blocks by these addresses; the store only by their multihash. */
export function addressOf(multihash: MultihashDigest): CidString {
  return CID.createV1(DAG_CBOR, multihash).toString() as CidString;
}

function absent(cid: CidString): TabmeshError {
  return new TabmeshError('not_found', `the block ${cid} is not on this device`, { details: { cid } });
}

/** @throws `invalid_input` when the text is not a CID */
function keyOf(cid: CidString): string {
  try {
    return PREFIX + base32.baseEncode(CID.parse(cid).multihash.bytes);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `"${cid}" is not a CID`, { cause });
  }
}
