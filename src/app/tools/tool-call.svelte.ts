import type { RoomClient } from '../../contracts/app.ts';
import type { CallResult, ToolProgress } from '../../contracts/tools.ts';
import type { PeerId } from '../../lib/ids.ts';
import { toTabmeshError } from '../../lib/errors.ts';

/** Where to run: a named peer, or null for wherever the router thinks best. */
export type PlaceChoice = PeerId | null;

export type CallState =
  | { readonly status: 'idle' }
  | { readonly status: 'running'; readonly startedAt: number; readonly progress: ToolProgress | null }
  | { readonly status: 'ended'; readonly result: CallResult };

/** One call of a tool at a time, as the form shows it. */
export class ToolCall {
  state = $state.raw<CallState>({ status: 'idle' });
  readonly #client: Pick<RoomClient, 'call'>;
  #running: AbortController | null = null;

  constructor(client: Pick<RoomClient, 'call'>) {
    this.#client = client;
  }

  /** Calls the tool; a call that still runs is cancelled first. Never rejects: a failure is in `state`. */
  async run(tool: string, args: unknown, place: PlaceChoice): Promise<void> {
    this.cancel();
    const running = new AbortController();
    this.#running = running;
    const startedAt = Date.now();
    this.state = { status: 'running', startedAt, progress: null };
    const result = await this.#call(tool, args, place, startedAt, running);
    if (this.#running !== running) return;
    this.#running = null;
    this.state = { status: 'ended', result };
  }

  /** Cancels the call that runs; its end arrives as a `cancelled` failure. */
  cancel(): void {
    this.#running?.abort();
  }

  async #call(
    tool: string,
    args: unknown,
    place: PlaceChoice,
    startedAt: number,
    running: AbortController,
  ): Promise<CallResult> {
    try {
      return await this.#client.call(tool, args, {
        signal: running.signal,
        ...(place === null ? {} : { place }),
        onProgress: (progress) => {
          if (this.#running === running) this.state = { status: 'running', startedAt, progress };
        },
      });
    } catch (thrown) {
      return { ok: false, error: toTabmeshError(thrown).toWire(), route: null, tookMs: Date.now() - startedAt };
    }
  }
}
