import type { RoomDataset } from '../../../contracts/ports.ts';
import { plural } from '../../ui/format.ts';

/**
 * What leaving a room costs, one point each.
 * @param datasets of the room; null for one that is not open, where nobody knows who else holds what
 * @param isMaker whether this device made the room
 */
export function leavingText(datasets: readonly RoomDataset[] | null, isMaker: boolean): readonly string[] {
  const points: string[] = [];
  if (datasets === null) {
    points.push(
      'All that this browser holds of it is deleted: datasets, index and runs. What nobody else holds is lost.',
    );
  } else {
    const here = datasets.filter(({ holders }) => holders.some(({ self }) => self));
    const only = here.filter(({ holders }) => holders.length === 1);
    points.push(`This browser’s copy of ${plural(here.length, 'dataset')} and its part of the index are deleted.`);
    if (only.length > 0) {
      points.push(`${plural(only.length, 'of them is', 'of them are')} held by nobody else and will be lost.`);
    }
  }
  if (isMaker) points.push('This device made the room. While it is away nobody can appoint owners.');
  points.push('To come back you need an invite from a member.');
  return points;
}
