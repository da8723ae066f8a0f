import type { KeyValueStore } from '../../contracts/kv.ts';
import type { WriteLock } from '../../mesh/storage/lock.ts';

const KEY = 'audit/key';
const KEY_BYTES = 32;

/**
 * The key of the arguments' hashes in a room's audit log, made when there is none. It never leaves this device: without it
 * nobody can guess arguments from their hashes.
 * @throws `storage_failed`
 */
export async function auditKey(store: KeyValueStore, lock: WriteLock): Promise<Uint8Array> {
  const known = await store.get<Uint8Array>(KEY);
  if (known !== undefined) return known;
  return await lock.run(async () => {
    // another tab may have made it a moment ago
    const theirs = await store.get<Uint8Array>(KEY);
    if (theirs !== undefined) return theirs;
    const made = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    await store.put(KEY, made);
    return made;
  });
}
