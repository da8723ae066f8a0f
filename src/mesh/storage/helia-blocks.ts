import { BaseBlockstore } from 'blockstore-core';
import type { Blockstore } from 'interface-blockstore';
import { NotFoundError } from 'interface-store';
import type { CID } from 'multiformats/cid';
import type { BlockStore } from '../../contracts/dataset.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { writeTogether } from './write-together.ts';

/** Shows a {@link BlockStore} to Helia. */
export function asHeliaBlockstore(blocks: BlockStore): Blockstore {
  return new HeliaBlocks(blocks);
}

class HeliaBlocks extends BaseBlockstore {
  readonly #blocks: BlockStore;
  readonly #put: ReturnType<typeof writeTogether>;

  constructor(blocks: BlockStore) {
    super();
    this.#blocks = blocks;
    this.#put = writeTogether(blocks);
  }

  override async put(
    cid: CID,
    value: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<CID> {
    const bytes = value instanceof Uint8Array ? value : await collect(value);
    options?.signal?.throwIfAborted();
    await this.#put({ cid: text(cid), bytes });
    return cid;
  }

  override async *get(cid: CID, options?: { signal?: AbortSignal }): AsyncGenerator<Uint8Array> {
    try {
      yield await this.#blocks.get(text(cid), options?.signal);
    } catch (thrown) {
      // Helia looks for this very class before it asks the network
      if (toTabmeshError(thrown).code === 'not_found') throw new NotFoundError();
      throw thrown;
    }
  }

  override has(cid: CID, options?: { signal?: AbortSignal }): Promise<boolean> {
    return this.#blocks.has(text(cid), options?.signal);
  }

  override delete(cid: CID, options?: { signal?: AbortSignal }): Promise<void> {
    return this.#blocks.delete(text(cid), options?.signal);
  }
}

const text = (cid: CID) => cid.toV1().toString() as CidString;

async function collect(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return concatBytes(all);
}
