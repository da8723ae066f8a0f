import { vi } from 'vitest';
import type { CidString } from '../../src/lib/ids.ts';
import { datasetSummary } from './replica.ts';
import type { TabPeer } from './tab-peers.ts';

/**
 * Has a tab list a dataset as its own that it does not have: the person is asked about its deletion, and the tool, once it may
 * run, answers `not_found` each time.
 */
export function listAsHeld({ room }: TabPeer, data: string): void {
  const { device } = room.replica;
  const holders = [{ device, name: 'this one', online: true, self: true }];
  vi.spyOn(room.datasets, 'list').mockReturnValue([{ ...datasetSummary(1), data: data as CidString, holders }]);
}
