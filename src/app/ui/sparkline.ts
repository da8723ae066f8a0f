/** A value at a time; null where there was none. */
export interface SparkPoint {
  /** ms since the epoch */
  readonly at: number;
  readonly value: number | null;
}

interface SparkPaths {
  /** an SVG path, with a gap wherever a value is missing */
  readonly line: string;
  /** where the newest value is drawn; null without any */
  readonly last: { readonly x: number; readonly y: number } | null;
}

/**
 * A small line chart from zero to the greatest value, over the whole time of `points`.
 * @param points oldest first
 * @param width px @param height px
 */
export function sparkPaths(points: readonly SparkPoint[], width: number, height: number): SparkPaths {
  const first = points[0]?.at ?? 0;
  const span = (points.at(-1)?.at ?? 0) - first;
  const top = Math.max(...points.map(({ value }) => value ?? 0), Number.MIN_VALUE);
  let line = '';
  let last: SparkPaths['last'] = null;
  let drawing = false;
  for (const { at, value } of points) {
    if (value === null) {
      drawing = false;
      continue;
    }
    // of a single time: at the right, where the newest is
    last = { x: round(span === 0 ? width : ((at - first) / span) * width), y: round(height * (1 - value / top)) };
    line += `${drawing ? 'L' : 'M'}${String(last.x)} ${String(last.y)}`;
    drawing = true;
  }
  return { line, last };
}

/** a tenth of a pixel is finer than a screen shows */
function round(px: number): number {
  return Math.round(px * 10) / 10;
}
