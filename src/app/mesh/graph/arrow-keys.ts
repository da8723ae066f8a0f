import type { Point } from './ellipse.ts';

/** What an arrow key points to, in the graph's coordinates: y grows downwards. */
const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
/** Something aside counts for so much further away than something straight ahead. */
const ASIDE = 2;
/** So much further aside than ahead is still that way. */
const MAX_ASIDE = 2;

/**
 * Where a key leads in the graph. Arrows go to the nearest place that way; Page Down and Page Up go through all places in
 * their order, since somebody may stand where no arrow leads; Home and End to the first and last.
 * @returns undefined for another key, or when nothing lies there
 */
export function keyTarget<Id>(places: ReadonlyMap<Id, Point>, from: Id, key: string): Id | undefined {
  const order = [...places.keys()];
  const at = order.indexOf(from);
  switch (key) {
    case 'Home':
      return order[0];
    case 'End':
      return order.at(-1);
    case 'PageDown':
      return order[(at + 1) % order.length];
    case 'PageUp':
      return order.at(at - 1);
    default:
      return arrowTarget(places, from, key);
  }
}

/** The nearest place that lies more in an arrow's direction than aside. */
function arrowTarget<Id>(places: ReadonlyMap<Id, Point>, from: Id, key: string): Id | undefined {
  const direction = DIRECTIONS[key];
  const start = places.get(from);
  if (direction === undefined || start === undefined) return undefined;
  let best: { readonly id: Id; readonly cost: number } | undefined;
  for (const [id, { x, y }] of places) {
    const [dx, dy] = [x - start.x, y - start.y];
    const ahead = dx * direction.x + dy * direction.y;
    const aside = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    if (id === from || ahead <= 0 || aside > ahead * MAX_ASIDE) continue;
    const cost = ahead + ASIDE * aside;
    if (best === undefined || cost < best.cost) best = { id, cost };
  }
  return best?.id;
}
