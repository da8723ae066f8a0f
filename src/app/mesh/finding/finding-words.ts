import type { BootstrapMethod, NatType } from '../../../contracts/bootstrap.ts';
import type { PeerSource } from '../../../contracts/discovery.ts';
import type { CountsOf, SeenFromOutside } from '../../../contracts/peer-finding.ts';
import { formatCount, formatDuration, plural } from '../../ui/format.ts';

/** How each way to find peers is called. */
export const SOURCES: Readonly<Record<PeerSource, string>> = {
  manual: 'Addresses typed in',
  rendezvous: 'Relays of the room',
  gossip: 'Other members',
  broadcast: 'Tabs of this browser',
  github: 'GitHub issues',
  local_file: 'Remembered on disk',
  local_store: 'Remembered here',
  cache: 'Seen before',
  unknown: 'Others',
};

/** How each way into the network is called. */
export const METHODS: Readonly<Record<BootstrapMethod, string>> = {
  relay: 'Relays of the room',
  custom_server: 'Addresses given',
  local_discovery: 'This network',
  dht: 'Distributed table',
  ipfs_bootstrap: 'Public IPFS nodes',
};

const NAT: Readonly<Record<NatType, string>> = {
  open: 'no address translation in between: others can connect to it directly',
  cone: 'behind a NAT that lets direct links through',
  symmetric: 'behind a symmetric NAT: direct links mostly fail, and a TURN server helps',
  unknown: 'the kind of NAT cannot be told',
};

/**
 * What was counted of a source or a method, in one line.
 * @param nouns of one try and of many
 * @param found peers that it told of in all; undefined where that is not counted
 */
export function countsText(
  counts: CountsOf<string>,
  nouns: readonly [one: string, many: string],
  found?: number,
): string {
  const { total, successful, averageDurationMs } = counts;
  const worked =
    successful === total ? (total === 1 ? 'it worked' : 'all worked') : `${formatCount(successful)} worked`;
  const told = found === undefined ? [] : [`${plural(found, 'peer')} told in all`];
  return [plural(total, ...nouns), worked, ...told, `${formatDuration(averageDurationMs)} on average`].join(', ');
}

/** How this device is seen from outside, in one sentence. */
export function outsideText({ publicIp, natType }: SeenFromOutside): string {
  const address = publicIp === null ? 'Its public address is not known' : `Seen from outside as ${publicIp}`;
  return `${address}; ${NAT[natType]}.`;
}
