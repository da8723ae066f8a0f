import type { MeshPeer } from '../../../contracts/mesh.ts';
import type { PeerId } from '../../../lib/ids.ts';

/** A link between two peers of the room, put together from what its ends tell. */
export interface GraphEdge {
  /** the smaller id of the two */
  readonly a: PeerId;
  readonly b: PeerId;
  readonly kind: 'direct' | 'relayed' | 'connecting';
  /** smoothed round trip, ms; null until an end has measured it */
  readonly latencyMs: number | null;
  /** whether this tab is an end */
  readonly own: boolean;
}

/** How fast a link is, in steps that a line's width can show. */
export type LatencyClass = 'fast' | 'middling' | 'slow' | 'unmeasured';

/** One machine or network: below what a person notices in a search over many peers. */
const FAST_MS = 30;
/** A continent away. Above it a call in several steps feels slow. */
const MIDDLING_MS = 150;

/** The step that a round trip falls in. */
export function latencyClass(latencyMs: number | null): LatencyClass {
  if (latencyMs === null) return 'unmeasured';
  if (latencyMs < FAST_MS) return 'fast';
  return latencyMs < MIDDLING_MS ? 'middling' : 'slow';
}

/**
 * The links among `peers`. One that only one end tells of is there too: the other may not have said so yet. It is direct when
 * an end says so, since there is a direct connection then, and as fast as the faster end measures, since the other's number
 * holds its own delays. This tab's links are as it sees them now, not as it last told others.
 */
export function meshEdges(peers: readonly MeshPeer[]): readonly GraphEdge[] {
  const self = peers.find((peer) => peer.link === 'self')?.peer;
  const here = new Set(peers.map(({ peer }) => peer));
  const edges = new Map<string, GraphEdge>();
  const tell = (one: PeerId, other: PeerId, kind: GraphEdge['kind'], latencyMs: number | null) => {
    const [a, b] = one < other ? [one, other] : [other, one];
    const before = edges.get(`${a} ${b}`);
    edges.set(`${a} ${b}`, {
      a,
      b,
      kind: before?.kind === 'direct' ? 'direct' : kind,
      latencyMs: smaller(before?.latencyMs ?? null, latencyMs),
      own: one === self || other === self,
    });
  };
  for (const { peer, link, latencyMs, links } of peers) {
    if (link !== 'self' && self !== undefined) tell(self, peer, link, latencyMs);
    for (const told of links) {
      const foreign = peer !== self && told.peer !== self && told.peer !== peer;
      if (foreign && here.has(told.peer)) tell(peer, told.peer, told.direct ? 'direct' : 'relayed', told.latencyMs);
    }
  }
  return [...edges.values()];
}

/** A peer's edges with the peer at the other end, the fastest first. */
export function edgesOf(edges: readonly GraphEdge[], peer: PeerId): readonly { other: PeerId; edge: GraphEdge }[] {
  return edges
    .filter(({ a, b }) => a === peer || b === peer)
    .map((edge) => ({ other: edge.a === peer ? edge.b : edge.a, edge }))
    .sort((x, y) => (x.edge.latencyMs ?? Infinity) - (y.edge.latencyMs ?? Infinity) || (x.other < y.other ? -1 : 1));
}

function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
