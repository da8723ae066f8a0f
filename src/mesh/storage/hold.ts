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
}

/** A hold for one process. */
export function createProcessHold(): BlockHold {
  let writers = 0;
  let deleter: Promise<unknown> | null = null;
  return {
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
  };
}

/** What {@link BlockHold.deleting} throws. */
export function busy(): TabmeshError {
  return new TabmeshError('conflict', 'a dataset is being written on this device', {
    hint: 'Try again when the collection, copy or import has ended.',
    retryable: true,
  });
}
