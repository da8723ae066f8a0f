import { asyncIterableReader, readBlockHead, readHeader } from '@ipld/car/decoder';
import { MAX_BLOCK_BYTES, type BlockStore, type DatasetSummary } from '../contracts/dataset.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import type { Block } from './codec.ts';
import { Expectation } from './car-expect.ts';

/** The file is looked at in pieces of this many bytes, whatever the size of the chunks it comes in. */
const PIECE_BYTES = 64 * 1024;
/** Largest part of the file that is held at once: a block with its address, and the pieces it begins and ends in. */
const HELD_BYTES = MAX_BLOCK_BYTES + 4 * PIECE_BYTES;
/** Bytes of one write: few transactions, and little lost work when one fails. */
const PUT_BYTES = 8 * 1024 * 1024;

/**
 * Reads datasets from a CAR file that may come from anybody and stores them. Its roots must be manifests, and parents
 * come before children, as {@link exportCar} and other depth-first writers do. Every block is verified; one that no
 * dataset of the file needs is refused. Roots and manifests are stored last, after everything else has come; when the
 * import fails, the blocks it added are deleted again.
 * @throws `corrupt`, `format_newer`, `payload_too_large`, `quota_exceeded`, `storage_failed`; `signal.reason`
 */
export async function importCar(
  car: AsyncIterable<Uint8Array>,
  blocks: BlockStore,
  signal: AbortSignal,
): Promise<readonly DatasetSummary[]> {
  const added: CidString[] = [];
  const put = async (group: readonly Block[]): Promise<void> => {
    for (const { cid } of group) if (!(await blocks.has(cid, signal))) added.push(cid);
    await blocks.putMany(group, signal);
  };
  try {
    const { roots, sections } = await openCar(car, signal);
    const expected = new Expectation(roots);
    let waiting: Block[] = [];
    let waitingBytes = 0;
    for await (const block of sections) {
      if ((await expected.accept(block)) !== 'store') continue;
      waiting.push(block);
      waitingBytes += block.bytes.byteLength;
      if (waitingBytes < PUT_BYTES) continue;
      await put(waiting);
      waiting = [];
      waitingBytes = 0;
    }
    const { named, summaries } = expected.finish();
    await put(waiting);
    await put(named);
    return summaries;
  } catch (thrown) {
    // the first failure is the one to tell; a block that stays behind is only space
    await Promise.allSettled([blocks.deleteMany(added)]);
    throw signal.aborted ? signal.reason : thrown;
  }
}

interface OpenCar {
  readonly roots: readonly CidString[];
  readonly sections: AsyncIterable<Block>;
}

async function openCar(car: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<OpenCar> {
  const reader = asyncIterableReader(bounded(car, () => reader.pos, signal));
  const header = await decoding(() => readHeader(reader, 1));
  async function* sections(): AsyncGenerator<Block, void, void> {
    while ((await reader.upTo(1)).byteLength > 0) {
      yield await decoding(async () => {
        const { cid, blockLength } = await readBlockHead(reader);
        // copied: the reader's buffer holds the neighbours too
        return { cid: cid.toString() as CidString, bytes: (await reader.exactly(blockLength, true)).slice() };
      });
    }
  }
  return { roots: header.roots.map((root) => root.toString() as CidString), sections: sections() };
}

/**
 * Cuts the file into pieces and stops when more of it is held than any honest section takes: lengths in the file are
 * its author's word, and the reader believes them.
 */
async function* bounded(
  car: AsyncIterable<Uint8Array>,
  consumed: () => number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  let pulled = 0;
  for await (const chunk of car) {
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      signal.throwIfAborted();
      if (pulled - consumed() > HELD_BYTES) {
        throw new TabmeshError('payload_too_large', `the file holds a block of more than ${MAX_BLOCK_BYTES} bytes`);
      }
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      pulled += piece.byteLength;
      yield piece;
    }
  }
}

async function decoding<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw toTabmeshError(thrown, 'corrupt');
  }
}
