import type { CallerClass, ClassAccess } from '../../contracts/approvals.ts';
import { DEFAULT_CLASS_ACCESS } from '../../contracts/approvals.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { createListeners } from '../../lib/listeners.ts';
import { isPlainMap } from '../../lib/strict-map.ts';

const KEY = 'access/classes';
const CALLERS: readonly CallerClass[] = ['member', 'relay'];
const GRANTABLE: ReadonlySet<unknown> = new Set(['read', 'compute', 'write']);

/** Tells the other tabs of the device that something about access has changed, and is told by them. */
export interface AccessChannel {
  announce(): void;
  /** @returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
  close(): void;
}

/** For a device that is one process: nobody else has to be told. */
export const NO_CHANNEL: AccessChannel = {
  announce: () => undefined,
  subscribe: () => () => undefined,
  close: () => undefined,
};

/** What callers of each class may do here without asking: looked at for every call, so it is held in memory. */
export interface AccessSettings {
  current(): ClassAccess;
  /** @throws `invalid_input`, `storage_failed` */
  set(access: ClassAccess): Promise<void>;
  /** called after a change, here or in another tab */
  subscribe(listener: () => void): () => void;
}

/**
 * Reads the settings of a room's store, and follows the other tabs of the device.
 * @throws `storage_failed`
 */
export async function openAccessSettings(
  store: KeyValueStore,
  channel: AccessChannel,
  onError: (thrown: unknown) => void,
): Promise<AccessSettings> {
  const changed = createListeners();
  const read = async () => classAccessFrom(await store.get<unknown>(KEY)) ?? DEFAULT_CLASS_ACCESS;
  let current = await read();
  channel.subscribe(() => {
    read()
      .then((now) => {
        current = now;
        changed.notify();
      })
      .catch(onError);
  });
  return {
    current: () => current,
    async set(access) {
      const checked = classAccessFrom(access);
      if (checked === undefined) {
        throw new TabmeshError('invalid_input', 'each class of callers may be granted read, compute and write');
      }
      await store.put(KEY, checked);
      current = checked;
      channel.announce();
      changed.notify();
    },
    subscribe: (listener) => changed.add(listener),
  };
}

function classAccessFrom(value: unknown): ClassAccess | undefined {
  if (!isPlainMap(value)) return undefined;
  const entries = CALLERS.map((caller) => [caller, value[caller]] as const);
  const isSound = entries.every(
    ([, classes]) => Array.isArray(classes) && classes.every((each) => GRANTABLE.has(each)),
  );
  if (!isSound) return undefined;
  return Object.fromEntries(
    entries.map(([caller, classes]) => [caller, [...new Set(classes as string[])]]),
  ) as unknown as ClassAccess;
}
