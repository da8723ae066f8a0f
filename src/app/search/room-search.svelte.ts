import type { RoomClient } from '../../contracts/app.ts';
import type { RoomSearchResult, SearchRequest } from '../../contracts/search.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';

/** One search box over the room: the latest question wins, earlier ones are cancelled. */
export class RoomSearch {
  /** the last answer; stays while a wider one for the same words is on its way */
  result = $state.raw<RoomSearchResult | null>(null);
  error = $state.raw<WireError | null>(null);
  busy = $state(false);
  readonly #client: Pick<RoomClient, 'search'>;
  #asking: AbortController | null = null;
  #words = '';

  constructor(client: Pick<RoomClient, 'search'>) {
    this.#client = client;
  }

  /** Asks the room. Never rejects: a failure is in `error`. */
  async ask(request: SearchRequest): Promise<void> {
    this.cancel();
    const asking = new AbortController();
    this.#asking = asking;
    if (request.query !== this.#words) this.result = null;
    this.#words = request.query;
    this.error = null;
    this.busy = true;
    try {
      const result = await this.#client.search(request, asking.signal);
      if (this.#asking === asking) this.result = result;
    } catch (thrown) {
      if (this.#asking === asking) this.error = toTabmeshError(thrown).toWire();
    } finally {
      if (this.#asking === asking) this.busy = false;
    }
  }

  /** Stops waiting; what is shown stays. */
  cancel(): void {
    this.#asking?.abort();
    this.#asking = null;
    this.busy = false;
  }

  /** Back to the empty box. */
  clear(): void {
    this.cancel();
    this.result = null;
    this.error = null;
    this.#words = '';
  }
}
