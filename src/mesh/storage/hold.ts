import { TabmeshError } from '../../lib/errors.ts';

/**
 * Keeps those who write blocks apart from those who delete what nobody lists: blocks of a dataset that is being written are
 * not listed yet.
 */
export interface BlockHold {
  /** Runs work that writes blocks and lists them; any number at once. */
  writing<T>(work: () => Promise<T>): Promise<T>;
  /** Runs work that deletes blocks, alone. @throws `conflict`, retryable, while somebody writes; the work has not begun then */
  deleting<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs work that deletes blocks and can as well be done another time.
   * @param work its signal fires as soon as anybody of this tab or process writes or deletes: they wait for its end
   * @throws as `deleting`
   */
  sweeping<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Adds {@link BlockHold.sweeping} to a lock. */
export function withSweeping({ writing, deleting }: Pick<BlockHold, 'writing' | 'deleting'>): BlockHold {
  let sweep: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;
  const interrupt = () => {
    sweep?.stop.abort(new TabmeshError('cancelled', 'clearing up made way for other work'));
    return sweep?.ended;
  };
  return {
    writing: (work) => {
      void interrupt();
      return writing(work);
    },
    deleting: (work) => {
      const ended = interrupt();
      // waited for: whoever deletes must not be told that somebody writes, when that is only a sweep
      return ended === undefined ? deleting(work) : ended.then(() => deleting(work));
    },
    sweeping: async (work) => {
      if (sweep !== null) throw busy();
      const stop = new AbortController();
      const done = deleting(() => work(stop.signal));
      const ended = done.then(
        () => undefined,
        () => undefined,
      );
      sweep = { stop, ended };
      try {
        return await done;
      } finally {
        sweep = null;
      }
    },
  };
}

/** A hold for one process. */
export function createProcessHold(): BlockHold {
  let writers = 0;
  let deleter: Promise<unknown> | null = null;
  return withSweeping({
    async writing(work) {
      while (deleter !== null) await deleter;
      writers++;
      try {
        return await work();
      } finally {
        writers--;
      }
    },
    async deleting(work) {
      if (writers > 0 || deleter !== null) throw busy();
      const done = work();
      deleter = done.then(
        () => undefined,
        () => undefined,
      );
      try {
        return await done;
      } finally {
        deleter = null;
      }
    },
  });
}

/** What {@link BlockHold.deleting} throws. */
export function busy(): TabmeshError {
  return new TabmeshError('conflict', 'a dataset is being written or deleted on this device', {
    hint: 'Try again when the collection, copy, import or deletion has ended.',
    retryable: true,
  });
}
