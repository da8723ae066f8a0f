import { SvelteMap } from 'svelte/reactivity';
import type { RecordEntry } from '../../contracts/dataset.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import type { Loading } from './resource.svelte.ts';

/** Records asked for at once: a few screens, one or two page blocks. */
const PAGE_SIZE = 100;
/** Pages on their way at the same time; a fast scroll must not ask for a whole dataset. */
const MAX_LOADING = 2;
/** Pages kept: some thousand records, a few megabytes. */
const MAX_PAGES = 24;

export type LoadRecords = (offset: number, limit: number, signal: AbortSignal) => Promise<readonly RecordEntry[]>;

/** The records of a dataset in pages, loaded as they come into view; those longest out of view are let go. */
export class RecordPages {
  readonly #pages = new SvelteMap<number, Loading<readonly RecordEntry[]>>();
  readonly #load: LoadRecords;
  readonly #closing = new AbortController();
  /** asked for and not yet begun; the newest is begun first, since it is the one in view */
  #waiting: number[] = [];
  #loading = 0;

  constructor(load: LoadRecords) {
    this.#load = load;
  }

  /** The page of a record, if it is here, on its way, or has failed. */
  page(index: number): Loading<readonly RecordEntry[]> | undefined {
    return this.#pages.get(pageOf(index));
  }

  /** The record at `index`, if it is here. */
  at(index: number): RecordEntry | undefined {
    const page = this.page(index);
    return page?.state === 'ready' ? page.value[index % PAGE_SIZE] : undefined;
  }

  /** Why nothing can be shown; null as soon as one page is here, or while one may still come. */
  get failure(): WireError | null {
    const pages = [...this.#pages.values()];
    const failed = pages.find((page) => page.state === 'failed');
    return failed !== undefined && pages.every((page) => page.state === 'failed') ? failed.error : null;
  }

  /** Asks again for every page that failed. */
  retryAll(): void {
    for (const [page, { state }] of this.#pages) if (state === 'failed') this.retry(page * PAGE_SIZE);
  }

  /** Says that the record at `index` is in view. */
  want(index: number): void {
    const page = pageOf(index);
    if (this.#pages.has(page) || this.#closing.signal.aborted) return;
    this.#waiting = [page, ...this.#waiting.filter((other) => other !== page)].slice(0, MAX_PAGES);
    this.#next();
  }

  /** Asks again for a page that failed. */
  retry(index: number): void {
    const page = pageOf(index);
    if (this.#pages.get(page)?.state !== 'failed') return;
    this.#pages.delete(page);
    this.want(index);
  }

  /** Cancels what is on its way. */
  close(): void {
    this.#waiting = [];
    this.#closing.abort();
  }

  #next(): void {
    if (this.#loading >= MAX_LOADING) return;
    const page = this.#waiting.shift();
    if (page === undefined) return;
    this.#loading += 1;
    this.#pages.set(page, { state: 'loading' });
    void this.#fetch(page).finally(() => {
      this.#loading -= 1;
      this.#next();
    });
  }

  async #fetch(page: number): Promise<void> {
    const { signal } = this.#closing;
    try {
      const value = await this.#load(page * PAGE_SIZE, PAGE_SIZE, signal);
      if (signal.aborted) return;
      this.#pages.set(page, { state: 'ready', value });
      this.#trim(page);
    } catch (thrown) {
      if (!signal.aborted) this.#pages.set(page, { state: 'failed', error: toTabmeshError(thrown).toWire() });
    }
  }

  #trim(current: number): void {
    const ready = [...this.#pages].filter(([, page]) => page.state === 'ready').map(([page]) => page);
    const far = ready.toSorted((a, b) => Math.abs(b - current) - Math.abs(a - current));
    for (const page of far.slice(0, Math.max(0, ready.length - MAX_PAGES))) this.#pages.delete(page);
  }
}

function pageOf(index: number): number {
  return Math.floor(index / PAGE_SIZE);
}
