/** How the app writes numbers, sizes, durations and times. English units, three significant digits, the reader's locale for dates. */

const SIGNIFICANT_DIGITS = 3;
const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
/** SI steps, as operating systems and browsers show storage today */
const BYTE_STEP = 1000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** below this a relative time reads "now": a clock that counts single seconds only distracts */
const NOW_WINDOW = 10 * SECOND;

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** A number with three significant digits and no exponent, e.g. `1.24`, `12.4`, `124`, `1,240`. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return counts.format(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}

/** A whole number with grouping, e.g. `12,345,678`. */
export function formatCount(value: number): string {
  return counts.format(value);
}

/** `count` with the noun in singular or plural, e.g. `1 record`, `1,204 records`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Bytes with a decimal unit, e.g. `0 B`, `1.24 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would print as "1,000 KB"
  while (Math.abs(value) >= BYTE_STEP - 0.5 && unit < BYTE_UNITS.length - 1) {
    value /= BYTE_STEP;
    unit += 1;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit] ?? 'B'}`;
}

/** Milliseconds as a duration in the two largest units that matter, e.g. `0.82 ms`, `124 ms`, `1.24 s`, `3 min 4 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  if (ms < MINUTE - SECOND / 2) return `${threeDigits(ms / SECOND)} s`;
  if (ms < HOUR) {
    const seconds = Math.round(ms / SECOND);
    return join(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  }
  const minutes = Math.round(ms / MINUTE);
  if (ms < 2 * DAY) return join(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(ms / HOUR);
  return join(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** A time relative to `now`, both ms since the epoch: `now`, `40 s ago`, `in 5 min`, `3 h ago`, then the date. */
export function formatRelative(at: number, now: number): string {
  const delta = now - at;
  const size = Math.abs(delta);
  if (size < NOW_WINDOW) return 'now';
  if (size >= WEEK) return day.format(at);
  const text =
    size < MINUTE
      ? `${String(Math.floor(size / SECOND))} s`
      : size < HOUR
        ? `${String(Math.floor(size / MINUTE))} min`
        : size < DAY
          ? `${String(Math.floor(size / HOUR))} h`
          : `${String(Math.floor(size / DAY))} d`;
  return delta > 0 ? `${text} ago` : `in ${text}`;
}

/** A time, ms since the epoch, in the reader's locale and time zone, to the second. */
export function formatAbsolute(at: number): string {
  return absolute.format(at);
}

/** Shortens an id in its middle, e.g. `bafyreib…q7xk`. Texts that are short enough come back whole. */
export function shortenMiddle(text: string, head = 8, tail = 4): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

function join(big: number, bigUnit: string, small: number, smallUnit: string): string {
  const first = `${String(big)} ${bigUnit}`;
  return small === 0 ? first : `${first} ${String(small)} ${smallUnit}`;
}
