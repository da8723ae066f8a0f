import type { KeyValueStore } from '../../contracts/kv.ts';
import { closedError, storageError } from './errors.ts';

/** A {@link KeyValueStore} that lives as long as the object: for rooms that must leave no trace, and for tests. */
export function createMemoryStore(): KeyValueStore {
  const values = new Map<string, unknown>();
  let closed = false;
  const open = () => {
    if (closed) throw closedError('memory');
    return values;
  };
  const batch: KeyValueStore['batch'] = async (writes) => {
    const target = open();
    let copies;
    try {
      copies = writes.map(({ key, value }) => [key, structuredClone(value)] as const);
    } catch (thrown) {
      throw storageError(thrown, 'writing');
    }
    for (const [key, value] of copies) {
      if (value === undefined) target.delete(key);
      else target.set(key, value);
    }
  };
  return {
    // cloned both ways, as the persistent stores do: nobody holds what is stored
    get: async <T>(key: string) => structuredClone(open().get(key)) as T | undefined,
    getMany: async <T>(keys: readonly string[]) => keys.map((key) => structuredClone(open().get(key)) as T | undefined),
    put: (key, value) => batch([{ key, value }]),
    delete: (key) => batch([{ key, value: undefined }]),
    keys: async (prefix = '') => [...open().keys()].filter((key) => key.startsWith(prefix)).sort(),
    batch,
    close: async () => {
      closed = true;
    },
  };
}
