import type { KeyValueStore } from '../../contracts/kv.ts';
import type { FORMAT_VERSIONS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';

export type FormatKind = keyof typeof FORMAT_VERSIONS;
export interface Write {
  readonly key: string;
  readonly value: unknown;
}
/** What a migration may look at: the store as the migrations before it would leave it. */
export type MigrationView = Pick<KeyValueStore, 'get' | 'keys'>;
/** By the version that it starts from: what to write to get to the next one. */
export type Migrations = Readonly<Record<number, (view: MigrationView) => Promise<readonly Write[]>>>;

const versionKey = (kind: FormatKind) => `format/${kind}`;

/**
 * Makes sure that what `store` holds of `kind` is of version `current`: marks an empty store, migrates an older one in
 * one batch.
 * @throws `format_newer` when a newer app wrote it, `corrupt` when the mark is no version; the store is then untouched
 */
export async function openVersioned(
  store: KeyValueStore,
  kind: FormatKind,
  current: number,
  migrations: Migrations = {},
): Promise<void> {
  const key = versionKey(kind);
  const found = await store.get<unknown>(key);
  if (found === current) return;
  if (found === undefined) {
    await store.put(key, current);
    return;
  }
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 1) {
    throw new TabmeshError('corrupt', `the stored ${kind} data names no version`, {
      hint: 'Restore it from a backup, or erase it and join again.',
    });
  }
  if (found > current) {
    throw new TabmeshError(
      'format_newer',
      `the stored ${kind} data is of version ${found}, this app reads ${current}`,
      {
        hint: 'Update this app.',
        details: { kind, found, current },
      },
    );
  }
  const writes = new Map<string, unknown>();
  const view = overlay(store, writes);
  for (let version = found; version < current; version++) {
    const migrate = migrations[version];
    if (migrate === undefined) {
      throw new TabmeshError('unsupported', `this app cannot migrate ${kind} data of version ${version}`, {
        hint: 'Open it once with the version before this one.',
      });
    }
    for (const write of await migrate(view)) writes.set(write.key, write.value);
  }
  writes.set(key, current);
  await store.batch([...writes].map(([written, value]) => ({ key: written, value })));
}

function overlay(store: KeyValueStore, writes: ReadonlyMap<string, unknown>): MigrationView {
  return {
    get: async <T>(key: string) => (writes.has(key) ? (writes.get(key) as T | undefined) : await store.get<T>(key)),
    keys: async (prefix = '') => {
      const keys = new Set(await store.keys(prefix));
      for (const [key, value] of writes) {
        if (!key.startsWith(prefix)) continue;
        if (value === undefined) keys.delete(key);
        else keys.add(key);
      }
      return [...keys].sort();
    },
  };
}
