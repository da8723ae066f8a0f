/** A line of two texts laid over each other. */
export interface DiffLine {
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** Cells of the table: a second's work for a browser at worst, and two schemas of two thousand lines each. */
const MAX_CELLS = 4_000_000;

/**
 * What has changed from one text to another, by lines: a longest common subsequence, found over what lies between the lines
 * that both begin and end with. Texts too long for that are shown one after the other.
 */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return [
    ...a.slice(0, start).map(same),
    ...between(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

function between(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  const width = b.length + 1;
  if ((a.length + 1) * width > MAX_CELLS) return [...a.map(gone), ...b.map(added)];
  /** at `i * width + j`: the length of the longest common subsequence of `a` from `i` and `b` from `j` */
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      lines.push({ kind: 'same', text: left });
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(left));
      i++;
    } else {
      lines.push(added(right ?? ''));
      j++;
    }
  }
  return lines;
}

const gone = (text: string): DiffLine => ({ kind: 'gone', text });
const added = (text: string): DiffLine => ({ kind: 'new', text });

/** Unchanged lines further than this from a change are folded. */
const CONTEXT = 3;

/** The parts of a diff that are worth reading: changes with some lines around them; a number stands for lines left out. */
export function foldSame(lines: readonly DiffLine[]): readonly (DiffLine | number)[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ kind }, n) => {
    if (kind !== 'same') near.fill(1, Math.max(0, n - CONTEXT), n + CONTEXT + 1);
  });
  const parts: (DiffLine | number)[] = [];
  lines.forEach((line, n) => {
    const last = parts.at(-1);
    if (near[n] === 1) parts.push(line);
    else if (typeof last === 'number') parts[parts.length - 1] = last + 1;
    else parts.push(1);
  });
  return parts;
}
