export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Straight pieces that an ellipse is measured in; with these a place is right to a fraction of a pixel. */
const PIECES = 360;

const TOP = -Math.PI / 2;

/** The length of an ellipse by Ramanujan's second approximation (Modular equations and approximations to π, 1914). */
export function perimeter(rx: number, ry: number): number {
  const h = ((rx - ry) / (rx + ry)) ** 2;
  return Math.PI * (rx + ry) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
}

/**
 * `count` points on an ellipse around 0, 0, with the same length of arc between any two.
 * @param start angle of the first, radians, clockwise from the right; the top unless given
 */
export function spread(count: number, rx: number, ry: number, start = TOP): readonly Point[] {
  const at = (piece: number): Point => {
    const angle = start + (piece / PIECES) * 2 * Math.PI;
    return { x: rx * Math.cos(angle), y: ry * Math.sin(angle) };
  };
  const lengths = [0];
  for (let piece = 1; piece <= PIECES; piece += 1) {
    const [from, to] = [at(piece - 1), at(piece)];
    lengths.push((lengths[piece - 1] ?? 0) + Math.hypot(to.x - from.x, to.y - from.y));
  }
  const step = (lengths[PIECES] ?? 0) / count;
  const points: Point[] = [];
  for (let piece = 0; piece < PIECES && points.length < count; piece += 1) {
    const [from = 0, to = 0] = [lengths[piece], lengths[piece + 1]];
    while (points.length < count && points.length * step < to) {
      points.push(at(piece + (points.length * step - from) / (to - from)));
    }
  }
  return points;
}
