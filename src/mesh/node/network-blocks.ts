import { CID } from 'multiformats/cid';
import type { BlockSource } from '../../contracts/dataset.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import type { RoomNode } from './room-node.ts';

/** A member that has the block answers in a round trip or two; after this long nobody here has it. */
const BLOCK_TIMEOUT_MS = 15_000;

/**
 * The blocks of the room: those of this device, else fetched from members over Bitswap and kept. Who decodes a
 * block checks its hash (`src/data`), wherever it came from.
 */
export function networkBlocks(node: RoomNode, timeoutMs = BLOCK_TIMEOUT_MS): BlockSource {
  return {
    async get(text, signal) {
      const cid = parse(text);
      const limit = AbortSignal.timeout(timeoutMs);
      const parts: Uint8Array[] = [];
      // alone, there is nobody to wait for
      if (node.libp2p.services.membership.links().length === 0 && !(await node.blockstore.has(cid))) throw absent(text);
      try {
        const source = node.blockstore.get(cid, {
          signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        });
        for await (const part of source) parts.push(part);
      } catch (cause) {
        signal?.throwIfAborted();
        throw absent(text, cause);
      }
      return concatBytes(parts);
    },
    async has(text) {
      return node.blockstore.has(parse(text));
    },
  };
}

function parse(text: CidString): CID {
  try {
    return CID.parse(text);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `"${text}" is not a CID`, { cause });
  }
}

function absent(cid: CidString, cause?: unknown): TabmeshError {
  return new TabmeshError('not_found', `nobody who is here has the block ${cid}`, {
    hint: 'It is on a device that is away. Open its tab, and try again.',
    retryable: true,
    details: { cid },
    cause,
  });
}
