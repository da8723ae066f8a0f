import { code as DAG_CBOR } from '@ipld/dag-cbor';
import { CID, type MultihashDigest } from 'multiformats';
import type { DeviceBlocks } from '../../contracts/dataset.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { digestOf } from '../../lib/block-address.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';

const PREFIX = 'block/';

/**
 * A block store over any {@link KeyValueStore}, with its guarantees: durable when the promise resolves, all of a batch or none.
 * Blocks are kept by their multihash: a CID's codec does not matter.
 */
export function createBlockStore(store: KeyValueStore): DeviceBlocks {
  return {
    async get(cid, signal) {
      signal?.throwIfAborted();
      const bytes = await store.get<Uint8Array>(PREFIX + blockKey(cid));
      if (bytes === undefined) throw absent(cid);
      return bytes;
    },
    async getMany(cids, signal) {
      signal?.throwIfAborted();
      const found = await store.getMany<Uint8Array>(cids.map((cid) => PREFIX + blockKey(cid)));
      return cids.map((cid, index) => {
        const bytes = found[index];
        if (bytes === undefined) throw absent(cid);
        return bytes;
      });
    },
    async has(cid, signal) {
      signal?.throwIfAborted();
      return (await store.get(PREFIX + blockKey(cid))) !== undefined;
    },
    async putMany(blocks, signal) {
      signal?.throwIfAborted();
      await store.batch(blocks.map(({ cid, bytes }) => ({ key: PREFIX + blockKey(cid), value: alone(bytes) })));
    },
    async delete(cid, signal) {
      signal?.throwIfAborted();
      await store.delete(PREFIX + blockKey(cid));
    },
    async *list(signal) {
      for (const key of await store.keys(PREFIX)) {
        signal?.throwIfAborted();
        yield key.slice(PREFIX.length) as CidString;
      }
    },
    async deleteMany(cids, signal) {
      signal?.throwIfAborted();
      await store.batch(cids.map((cid) => ({ key: PREFIX + blockKey(cid), value: undefined })));
    },
  };
}

/** Bitswap, datasets and records know blocks by these addresses; the store only by their multihash. */
export function addressOf(multihash: MultihashDigest): CidString {
  return CID.createV1(DAG_CBOR, multihash).toString() as CidString;
}

/** A view would have the whole of what it is a view of stored. */
const alone = (bytes: Uint8Array) => (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice());

/** What reading a block that is not here throws. */
export function absent(cid: CidString): TabmeshError {
  return new TabmeshError('not_found', `the block ${cid} is not on this device`, { details: { cid } });
}

/**
 * The one address that a store knows a block by: as {@link addressOf}.
 * @throws `invalid_input` when the text is not a CID
 */
export function blockKey(cid: CidString): CidString {
  if (digestOf(cid) !== undefined) return cid;
  try {
    return addressOf(CID.parse(cid).multihash);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `"${cid}" is not a CID`, { cause });
  }
}
