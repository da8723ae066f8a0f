/**
 * Runs `fn` over `items`, at most `limit` at once, and keeps the order of the items in the answer. The first failure
 * aborts the signal of those still running, starts no more, waits until the running ones have ended, and is rethrown.
 *
 * Choosing `limit`: what the other side serves well at once (transactions of a database, streams to a peer), not more;
 * beyond that a higher number only makes each item slower and cancelling later.
 * @param limit at least 1
 * @param fn gets a signal that also aborts when another item fails
 * @throws whatever `fn` threw first, or `signal.reason`
 */
export async function mapBounded<T, R>(
  items: Iterable<T>,
  limit: number,
  fn: (item: T, index: number, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit must be a positive integer, got ${limit}`);
  signal?.throwIfAborted();
  const failure = new AbortController();
  const inner = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const results: R[] = [];
  const queue = indexed(items);

  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      inner.throwIfAborted();
      try {
        results[index] = await fn(item, index, inner);
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }
  };

  // a worker that runs dry at once costs nothing, so there is no need to know how many items there are
  const outcomes = await Promise.allSettled(Array.from({ length: limit }, worker));
  signal?.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
  const rejected = outcomes.find((outcome) => outcome.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
  return results;
}

function* indexed<T>(items: Iterable<T>): Generator<[number, T]> {
  let index = 0;
  for (const item of items) yield [index++, item];
}
