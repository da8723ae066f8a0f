import type { MeshPeer } from '../../../contracts/mesh.ts';
import type { PeerId } from '../../../lib/ids.ts';
import { perimeter, spread, type Point } from './ellipse.ts';

/** Where a peer's name stands: always on the side that no line comes from. `none`: shown when it is pointed at. */
export type LabelSide = 'left' | 'right' | 'above' | 'below' | 'none';

/** A peer's place, px from the middle. */
export interface Place extends Point {
  readonly label: LabelSide;
}

export interface GraphLayout {
  /** `circle`: everybody on one ellipse, all links drawn; `rings`: this tab in the middle, others on rings around it */
  readonly shape: 'circle' | 'rings';
  readonly places: ReadonlyMap<PeerId, Place>;
  /** diameter of a peer, px */
  readonly node: number;
  /** greatest width of a name, px */
  readonly labelWidth: number;
}

export interface GraphSize {
  readonly width: number;
  readonly height: number;
}

/** With more the lines among all of them are a carpet, and nobody can follow one. */
export const CIRCLE_MAX = 16;
/** A wider ellipse sets those at its ends too far apart to compare. */
const MAX_ASPECT = 2.2;
/** From this width on names fit beside the peers at the sides. */
const WIDE = 640;
const CIRCLE_NODE = 44;
/** Smaller, a ring that shows the load is a smudge, and two letters are not read. px */
export const RING_FROM = 28;
/** Half a peer, a gap, two lines of 18 px. */
const LABEL_ROOM_Y = 68;
const LABEL_ROOM_X = 176;
const NARROW_ROOM_X = 52;
const MAX_LABEL = 144;
/** A narrower name says nothing. */
const MIN_LABEL = 60;
const RING_MARGIN = 24;

/** Diameters of peers on rings, px: the largest that leaves room for all of them is taken. */
const RING_NODES = [40, 36, 32, 28, 26, 24, 22, 20, 18] as const;
/** From ring to ring, in diameters: room for lines between them. */
const RING_GAP = 1.75;
/** From neighbour to neighbour on a ring, in diameters. */
const RING_SPACING = 1.4;

/**
 * The order in which peers take their places: this one, relays, linked ones, those being connected to. It does not depend on
 * what changes by the second, so that everybody stays in place.
 */
export function placeOrder(peers: readonly MeshPeer[]): readonly MeshPeer[] {
  const group = ({ link, kind }: MeshPeer) =>
    link === 'self' ? 0 : link === 'connecting' ? 3 : kind === 'relay' ? 1 : 2;
  return [...peers].sort((a, b) => group(a) - group(b) || compare(a.device, b.device) || compare(a.peer, b.peer));
}

/**
 * Places for peers, the same for the same room at the same size.
 * @param order as {@link placeOrder} gives it; those at its end are left out when there is no room for all
 */
export function layoutGraph(order: readonly PeerId[], size: GraphSize): GraphLayout {
  return order.length <= CIRCLE_MAX ? circle(order, size) : rings(order, size);
}

function circle(order: readonly PeerId[], { width, height }: GraphSize): GraphLayout {
  const wide = width >= WIDE;
  const ry = Math.max(1, height / 2 - LABEL_ROOM_Y);
  const rx = Math.max(1, Math.min(width / 2 - (wide ? LABEL_ROOM_X : NARROW_ROOM_X), ry * MAX_ASPECT));
  // a pair side by side, a lone peer in the middle
  const points =
    order.length === 1
      ? [{ x: 0, y: 0 }]
      : order.length === 2
        ? spread(2, Math.min(rx, ry), ry, Math.PI)
        : spread(order.length, rx, ry);
  const apart = perimeter(rx, ry) / order.length;
  const labelWidth = wide ? MAX_LABEL : Math.min(2 * NARROW_ROOM_X, apart - 8);
  const places = order.map((peer, n): [PeerId, Place] => {
    const { x, y } = points[n] ?? { x: 0, y: 0 };
    return [peer, { x, y, label: labelWidth < MIN_LABEL ? 'none' : sideOf({ x: x / rx, y: y / ry }, wide) }];
  });
  return { shape: 'circle', places: new Map(places), node: CIRCLE_NODE, labelWidth };
}

/** @param point on the unit circle */
function sideOf({ x, y }: Point, wide: boolean): LabelSide {
  // straight above and below the middle a name beside a peer would run into the neighbour
  if (wide && Math.abs(x) > 0.15) return x < 0 ? 'left' : 'right';
  return y < -0.1 ? 'above' : 'below';
}

function rings(order: readonly PeerId[], { width, height }: GraphSize): GraphLayout {
  const ry = height / 2 - RING_MARGIN;
  const aspect = Math.max(1, Math.min(MAX_ASPECT, (width / 2 - RING_MARGIN) / ry));
  const most = Math.min(ry, width / 2 - RING_MARGIN);
  const [self, ...others] = order;
  const tried = RING_NODES.map((node) => ({ node, capacities: capacities(most, aspect, node) }));
  const fits = tried.find(({ capacities }) => sum(capacities) >= others.length) ?? tried.at(-1);
  const places = new Map<PeerId, Place>();
  if (self === undefined || fits === undefined) return { shape: 'rings', places, node: 0, labelWidth: MAX_LABEL };
  places.set(self, { x: 0, y: 0, label: 'none' });
  const gap = fits.node * RING_GAP;
  let taken = 0;
  for (const [n, capacity] of fits.capacities.entries()) {
    const ring = others.slice(taken, taken + capacity);
    taken += capacity;
    const points = spread(ring.length, (n + 1) * gap * aspect, (n + 1) * gap);
    for (const [at, peer] of ring.entries()) {
      const { x, y } = points[at] ?? { x: 0, y: 0 };
      places.set(peer, { x, y, label: 'none' });
    }
  }
  return { shape: 'rings', places, node: fits.node, labelWidth: MAX_LABEL };
}

/** How many peers each ring holds, from the inside. */
function capacities(most: number, aspect: number, node: number): number[] {
  const count = Math.max(0, Math.floor((most - node / 2) / (node * RING_GAP)));
  return Array.from({ length: count }, (_, n) => {
    const ry = (n + 1) * node * RING_GAP;
    return Math.floor(perimeter(ry * aspect, ry) / (node * RING_SPACING));
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
