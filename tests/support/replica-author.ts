import type { SignedUpdate } from '../../src/contracts/replica.ts';
import type { RoomId } from '../../src/lib/ids.ts';
import type { DeviceKey } from '../../src/mesh/identity/device-key.ts';
import { createDeviceDoc } from '../../src/mesh/replica/doc.ts';
import type { DocMaps } from '../../src/mesh/replica/doc.ts';
import { GENESIS, entryHash, signEntry } from '../../src/mesh/replica/entry.ts';
import { datasetSummary } from './replica.ts';

/** The updates of one document that is changed again and again, as a device writes them. */
export function updatesOf(changes: readonly ((maps: DocMaps) => void)[]): Uint8Array[] {
  const doc = createDeviceDoc();
  return changes.map((change) => {
    const update = doc.change(change);
    if (update === undefined) throw new Error('nothing was changed');
    return update;
  });
}

/** Changes that list these datasets. */
export const lists = (...numbers: readonly number[]): ((maps: DocMaps) => void)[] =>
  numbers.map((n) => ({ datasets }) => {
    datasets.set(datasetSummary(n).data, datasetSummary(n));
  });

/** Changes that give these names to the device. */
export const isCalled = (...names: readonly string[]): ((maps: DocMaps) => void)[] =>
  names.map((name) => ({ profile }) => {
    profile.set('name', name);
  });

/** A log of an author who signs whatever it likes. */
export async function signChain(
  author: DeviceKey,
  room: RoomId,
  updates: readonly Uint8Array[],
  options: { readonly epoch?: number; readonly snapshot?: number; readonly after?: SignedUpdate } = {},
): Promise<SignedUpdate[]> {
  const { after, epoch = after?.epoch ?? 1, snapshot = 0 } = options;
  const entries: SignedUpdate[] = [];
  let last = after;
  for (const update of updates) {
    const seq = last === undefined ? 0 : last.seq + 1;
    const prev = last === undefined ? GENESIS : entryHash(last, room);
    last = await signEntry(author, room, { epoch, seq, prev, update, snapshot: seq === 0 ? snapshot : 0 });
    entries.push(last);
  }
  return entries;
}

/** The element at an index that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}
