import type { Outcome } from '../../contracts/discovery.ts';
import { toTabmeshError } from '../../lib/errors.ts';

/** A value without an error. */
export const done = <T>(value: T): Outcome<T> => ({ value, error: null });

/** Runs what a registry does; a failure becomes its `error`, beside the value that stands for "nothing". */
export async function attempt<T>(nothing: T, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return done(await work());
  } catch (thrown) {
    return { value: nothing, error: toTabmeshError(thrown) };
  }
}
