/** A set of callbacks that are told "something changed". */
export interface Listeners {
  /** @returns the function that takes the listener off again */
  add(listener: () => void): () => void;
  /** Calls every listener that was there when it began, in the order they were added. */
  notify(): void;
}

/**
 * Makes an empty {@link Listeners}. A listener that throws stops neither the others nor the notifier: as with an
 * `EventTarget`, its error is reported as uncaught.
 */
export function createListeners(): Listeners {
  const entries = new Set<{ readonly listener: () => void }>();
  return {
    add(listener) {
      // wrapped, so that the same function added twice is called twice and removed one by one
      const entry = { listener };
      entries.add(entry);
      return () => {
        entries.delete(entry);
      };
    },
    notify() {
      for (const { listener } of [...entries]) {
        try {
          listener();
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
}
