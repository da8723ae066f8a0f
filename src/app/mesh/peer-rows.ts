import type { MeshPeer } from '../../contracts/mesh.ts';

const LINK_ORDER: Readonly<Record<MeshPeer['link'], number>> = { self: 0, direct: 1, relayed: 2, connecting: 3 };

/** Peers in the order of the list: oneself, relays, then by link and name, so that rows keep their places. */
export function sortPeers(peers: readonly MeshPeer[]): readonly MeshPeer[] {
  return [...peers].sort(
    (a, b) =>
      Number(b.link === 'self') - Number(a.link === 'self') ||
      Number(b.kind === 'relay') - Number(a.kind === 'relay') ||
      LINK_ORDER[a.link] - LINK_ORDER[b.link] ||
      a.name.localeCompare(b.name) ||
      (a.peer < b.peer ? -1 : 1),
  );
}

/** Peers whose name, id or tools contain `text`; all when it is empty. */
export function filterPeers(peers: readonly MeshPeer[], text: string): readonly MeshPeer[] {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted === '') return peers;
  return peers.filter((peer) =>
    [peer.name, peer.peer, ...peer.tools].some((part) => part.toLocaleLowerCase().includes(wanted)),
  );
}

/** All calls that a peer has served since it started. */
export function servedTotal(peer: MeshPeer): number {
  return Object.values(peer.served).reduce((sum, calls) => sum + calls, 0);
}
