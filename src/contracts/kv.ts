/**
 * A small persistent map from string keys to structured-cloneable values; the domain code's view of IndexedDB in a
 * tab, of files on Node and of memory in tests. One contract suite runs over all of them (`tests/contract/kv.ts`).
 * Every promise resolves only when the write is durable.
 */
export interface KeyValueStore {
  get<T>(key: string): Promise<T | undefined>;
  /** several values at once, in the order of their keys; one read of the storage where the platform has that */
  getMany<T>(keys: readonly string[]): Promise<readonly (T | undefined)[]>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** keys in lexicographic order that start with `prefix` */
  keys(prefix?: string): Promise<string[]>;
  /**
   * Runs all writes or none. Used where two values must not disagree.
   * @param writes a value of `undefined` deletes the key
   */
  batch(writes: readonly { key: string; value: unknown }[], options?: BatchOptions): Promise<void>;
  close(): Promise<void>;
}

export interface BatchOptions {
  /** the page is being closed: nobody waits for the writes to succeed one by one */
  readonly parting?: boolean;
}
