import type { Clock } from '../lib/clock.ts';

/**
 * Records handled before the event loop has a turn: at some 0.5 to 1 ms each, at most half of the 50 ms that the app
 * allows a task even on the main thread.
 */
const SLICE = 24;

/**
 * Runs `work` on every item, letting the event loop (messages, a cancellation) have a turn after each slice.
 * @throws whatever `work` throws, or `signal.reason`; items before it have been worked on
 */
export async function inSlices<T>(
  items: Iterable<T>,
  work: (item: T) => void,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  let done = 0;
  signal?.throwIfAborted();
  for (const item of items) {
    work(item);
    done += 1;
    if (done % SLICE === 0) await clock.sleep(0, signal);
  }
}
