import type { MeshPeer } from '../../contracts/mesh.ts';
import { formatCount, formatDuration, plural, shortenMiddle } from '../ui/format.ts';
import { servedTotal } from './peer-rows.ts';

/** What a peer is called; before it has proven who it is, that is its id. */
export function peerName({ name, peer }: Pick<MeshPeer, 'name' | 'peer'>): string {
  return name === '' ? shortenMiddle(peer) : name;
}

/** Where a peer runs, in two words. */
export function whereText({ kind, visible }: Pick<MeshPeer, 'kind' | 'visible'>): string {
  return kind === 'relay' ? 'relay' : visible ? 'visible tab' : 'hidden tab';
}

/** What a peer's link is called. */
export function linkWord(link: MeshPeer['link']): string {
  return link === 'self' ? 'you' : link;
}

/** A round trip, or a dash until it is measured. */
export function latencyText(latencyMs: number | null): string {
  return latencyMs === null ? '–' : formatDuration(latencyMs);
}

/** A share of one, e.g. a load or a battery's level, as a percentage. */
export function percentText(share: number): string {
  return `${String(Math.round(share * 100))} %`;
}

/** All of a row in one sentence, for who hears a peer instead of seeing its row. */
export function peerSentence(peer: MeshPeer): string {
  const numbers = [
    plural(peer.tools.length, 'tool'),
    `${formatCount(servedTotal(peer))} served`,
    `${formatCount(peer.shardRecords)} records`,
  ];
  return [peerName(peer), linkWord(peer.link), latencyText(peer.latencyMs), ...numbers, whereText(peer)].join(' ');
}

/** A battery's level, and whether it is being charged. */
export function batteryText({ level, charging }: NonNullable<MeshPeer['battery']>): string {
  return charging ? `${percentText(level)}, charging` : percentText(level);
}
