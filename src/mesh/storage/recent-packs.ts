import type { CidString } from '../../lib/ids.ts';
import { unpack } from './packs.ts';
import type { Pack } from './packs.ts';

/** A megabyte: records are opened one after another, and those of a dataset lie together. */
const RECENT_PACKS = 4;

/** The packs that were read last. What is in one is what its address says for ever, but may have been deleted elsewhere. */
export class RecentPacks {
  /** the latest at the end */
  #packs: ReadonlyMap<CidString, Uint8Array>[] = [];

  /** @returns those of the blocks that are in one of the packs, and the others */
  take(cids: ReadonlySet<CidString>): {
    readonly found: Map<CidString, Uint8Array>;
    readonly missing: ReadonlySet<CidString>;
  } {
    const found = new Map<CidString, Uint8Array>();
    const missing = new Set<CidString>();
    for (const cid of cids) {
      const bytes = this.#packs.find((pack) => pack.has(cid))?.get(cid);
      if (bytes === undefined) missing.add(cid);
      else found.set(cid, bytes);
    }
    return { found, missing };
  }

  keep(pack: Pack): void {
    this.#packs = [...this.#packs, new Map(Array.from(unpack(pack), ({ cid, bytes }) => [cid, bytes]))].slice(
      -RECENT_PACKS,
    );
  }

  clear(): void {
    this.#packs = [];
  }
}
