import { toTabmeshError, type WireError } from '../../lib/errors.ts';

/** Something that is fetched: on its way, here, or failed. */
export type Loading<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly error: WireError };

export interface Resource<T> {
  readonly current: Loading<T>;
  retry(): void;
}

/**
 * Loads something for a component, and again when what `load` reads before its first `await` changes. An answer that
 * comes after that, or after the component is gone, is dropped and its request cancelled. Call during initialisation.
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  let current = $state.raw<Loading<T>>({ state: 'loading' });
  let attempt = $state(0);

  $effect(() => {
    void attempt;
    const controller = new AbortController();
    const { signal } = controller;
    current = { state: 'loading' };
    load(signal).then(
      (value) => {
        if (!signal.aborted) current = { state: 'ready', value };
      },
      (thrown: unknown) => {
        if (!signal.aborted) current = { state: 'failed', error: toTabmeshError(thrown).toWire() };
      },
    );
    return () => {
      controller.abort();
    };
  });

  return {
    get current() {
      return current;
    },
    retry: () => {
      attempt += 1;
    },
  };
}
