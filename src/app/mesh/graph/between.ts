import type { Point } from './ellipse.ts';

/**
 * Places on the way from one arrangement to another. Who is new is where it belongs from the start, who is gone is gone.
 * @param part of the way, 0 to 1
 */
export function between<Id>(
  from: ReadonlyMap<Id, Point>,
  to: ReadonlyMap<Id, Point>,
  part: number,
): ReadonlyMap<Id, Point> {
  const places = [...to].map(([id, end]): [Id, Point] => {
    const start = from.get(id);
    if (start === undefined || part >= 1) return [id, end];
    return [id, { x: start.x + (end.x - start.x) * part, y: start.y + (end.y - start.y) * part }];
  });
  return new Map(places);
}
