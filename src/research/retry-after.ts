/** Delay in seconds, as in `Retry-After: 120`. */
const DELAY_SECONDS = /^\d{1,9}$/;

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or an HTTP date.
 * @param now ms since the epoch
 * @returns milliseconds from now, never negative; null when the header is absent or unreadable
 */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  const value = header?.trim();
  if (value === undefined || value === '') return null;
  if (DELAY_SECONDS.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
