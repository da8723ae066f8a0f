import type { RoomDataset } from '../../contracts/ports.ts';
import { plural } from '../ui/format.ts';

/** Where a dataset is, seen from this device. */
export interface Holding {
  /** this device keeps it */
  readonly here: boolean;
  /** other devices that keep it and are online */
  readonly online: number;
  /** other devices that keep it */
  readonly others: number;
}

/** Counts who holds a dataset. */
export function holding(dataset: Pick<RoomDataset, 'holders'>): Holding {
  const others = dataset.holders.filter((holder) => !holder.self);
  return {
    here: others.length < dataset.holders.length,
    others: others.length,
    online: others.filter((holder) => holder.online).length,
  };
}

/** What deleting this device's copy loses, told before it happens. */
export function deletionText(dataset: Pick<RoomDataset, 'name' | 'count' | 'holders'>): string {
  const { others } = holding(dataset);
  const lost = `This device's copy of ${plural(dataset.count, 'record')} and its part of the search index are deleted.`;
  return others === 0
    ? `${lost} No other device holds them: they are gone for the whole room, and can only be collected again.`
    : `${lost} ${plural(others, 'other device keeps', 'other devices keep')} theirs, so the room does not lose it.`;
}

/** Why a dataset cannot be opened or fetched now; null when it can. */
export function unreachable(dataset: Pick<RoomDataset, 'holders'>): string | null {
  const { here, online, others } = holding(dataset);
  if (here || online > 0) return null;
  if (others === 0) return 'No device of this room holds it any more.';
  const names = dataset.holders.map((holder) => holder.name);
  return `It is held by ${new Intl.ListFormat('en').format(names)}, and not reachable until one of them is back.`;
}

/** The longest file name that every file system takes, less room for the extension and a number that browsers add. */
const MAX_NAME = 80;

/** A file name for an exported dataset: its name without what file systems refuse, and the start of its CID. */
export function carFileName(dataset: Pick<RoomDataset, 'name' | 'data'>): string {
  const safe = dataset.name
    .normalize('NFC')
    // eslint-disable-next-line no-control-regex -- control characters are among what file systems refuse
    .replace(/[\u0000-\u001f\u007f<>:"/\\|?*\s]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  const name = Array.from(safe).slice(0, MAX_NAME).join('');
  return `${name === '' ? 'dataset' : name}-${dataset.data.slice(-8)}.car`;
}
