import type { BlockSource } from '../../contracts/dataset.ts';
import type { CidString } from '../../lib/ids.ts';

/** What a transfer must know of datasets; `src/data` has it. */
export interface DatasetTree {
  /**
   * The addresses of all blocks below a data root, the root first, parents before children, in an order that follows from
   * the root alone, in groups. Asks `source` for the blocks that name others, when it comes to their children, and believes
   * only bytes that are what their address says.
   * @throws `not_found`, `corrupt`, `format_newer`
   */
  blocksOf(data: CidString, source: BlockSource, signal: AbortSignal): AsyncIterable<readonly CidString[]>;
  /** @throws `corrupt` when bytes are not what the address names */
  verify(block: { readonly cid: CidString; readonly bytes: Uint8Array }): Promise<void>;
}
