import { toTabmeshError, type WireError } from '../../lib/errors.ts';

/** Something that is fetched: on its way, here, or failed. */
export type Loading<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly error: WireError };

export interface Resource<T> {
  readonly current: Loading<T>;
  readonly retry: () => void;
}

/**
 * Loads something for a component, and again when what `load` reads before its first `await` changes. An answer that
 * comes after that, or after the component is gone, is dropped and its request cancelled. Call during initialisation.
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  let current = $state.raw<Loading<T>>({ state: 'loading' });
  let cancel = () => {
    // nothing is on its way yet
  };

  function start(): void {
    cancel();
    const controller = new AbortController();
    const { signal } = controller;
    cancel = () => {
      controller.abort();
    };
    current = { state: 'loading' };
    load(signal).then(
      (value) => {
        if (!signal.aborted) current = { state: 'ready', value };
      },
      (thrown: unknown) => {
        if (!signal.aborted) current = { state: 'failed', error: toTabmeshError(thrown).toWire() };
      },
    );
  }

  $effect(() => {
    start();
    return () => {
      cancel();
    };
  });

  return {
    get current() {
      return current;
    },
    retry: start,
  };
}
