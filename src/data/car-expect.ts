import type { DatasetManifest, DatasetRoot, DatasetSummary } from '../contracts/dataset.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import { decodeBlock, type Block } from './codec.ts';
import { manifestShape, pageShape, recordShape, rootShape } from './formats.ts';
import { PAGE_RECORDS } from './pages.ts';
import { summarise } from './write.ts';

type Kind = 'manifest' | 'root' | 'page' | 'record';

/** Which blocks a file of datasets still owes, told by the blocks that have come: children are known by their parents. */
export class Expectation {
  readonly #owed = new Map<CidString, Kind>();
  readonly #seen = new Set<CidString>();
  readonly #manifests = new Map<CidString, DatasetManifest>();
  readonly #roots = new Map<CidString, DatasetRoot>();
  readonly #pageLengths = new Map<CidString, number>();
  readonly #named: Block[] = [];

  /** @param roots addresses of the manifests that the file's header names */
  constructor(roots: readonly CidString[]) {
    for (const root of roots) this.#owed.set(root, 'manifest');
  }

  /**
   * Takes one block.
   * @returns `store` when it can be stored now, `held` for roots and manifests (see {@link finish}) and repetitions
   * @throws `corrupt` when nothing refers to it or it is not what it should be; `format_newer`, `payload_too_large`
   */
  async accept(block: Block): Promise<'store' | 'held'> {
    const kind = this.#owed.get(block.cid);
    if (kind === undefined) {
      if (this.#seen.has(block.cid)) return 'held';
      throw new TabmeshError('corrupt', `the file holds a block ${block.cid} that no dataset before it refers to`, {
        hint: 'Use a CAR file that Tabmesh exported.',
      });
    }
    const value = await decodeBlock(block, `the ${kind}`);
    this.#owed.delete(block.cid);
    this.#seen.add(block.cid);
    switch (kind) {
      case 'manifest': {
        const manifest = manifestShape(value, kind);
        this.#manifests.set(block.cid, manifest);
        this.#owe([manifest.data], 'root');
        break;
      }
      case 'root': {
        const root = rootShape(value, kind);
        this.#roots.set(block.cid, root);
        this.#owe(root.pages, 'page');
        break;
      }
      case 'page': {
        const { records } = pageShape(value, kind);
        this.#pageLengths.set(block.cid, records.length);
        this.#owe(records, 'record');
        return 'store';
      }
      case 'record':
        recordShape(value, kind);
        return 'store';
    }
    this.#named.push(block);
    return 'held';
  }

  /**
   * To be called after the last block.
   * @returns the roots and manifests, to be stored after everything else, and what they describe
   * @throws `corrupt` when a block has not come, or a root's count is not that of its pages
   */
  finish(): { readonly named: readonly Block[]; readonly summaries: readonly DatasetSummary[] } {
    const [lacking] = this.#owed.keys();
    if (lacking !== undefined) {
      throw new TabmeshError('corrupt', `the file is incomplete: ${this.#owed.size} blocks are missing`, {
        hint: 'Export or download it again.',
        details: { missing: this.#owed.size, first: lacking },
      });
    }
    for (const root of this.#roots.values()) this.#checkPages(root);
    const summaries = [...this.#manifests].flatMap(([cid, manifest]) => {
      const root = this.#roots.get(manifest.data);
      return root === undefined ? [] : [summarise(root, manifest, cid)];
    });
    return { named: this.#named, summaries };
  }

  #owe(cids: readonly CidString[], kind: Kind): void {
    for (const cid of cids) if (!this.#seen.has(cid)) this.#owed.set(cid, kind);
  }

  #checkPages(root: DatasetRoot): void {
    const whole = root.pages.every((page, index) => {
      const expected = Math.min(PAGE_RECORDS, root.count - index * PAGE_RECORDS);
      return this.#pageLengths.get(page) === expected;
    });
    if (!whole || root.pages.length !== Math.ceil(root.count / PAGE_RECORDS)) {
      throw new TabmeshError('corrupt', `a dataset of the file does not hold the ${root.count} records it says`);
    }
  }
}
