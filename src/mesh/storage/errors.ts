import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';

const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Turns what a storage API threw into a {@link TabmeshError}: no space is `quota_exceeded`, a value that cannot be
 * stored `invalid_input`, everything else `storage_failed`.
 * @param what the operation, for the message, e.g. "writing room/abc"
 */
export function storageError(thrown: unknown, what: string): TabmeshError {
  if (thrown instanceof TabmeshError) return thrown;
  const name = property(thrown, 'name');
  if (name === 'QuotaExceededError') return toTabmeshError(thrown);
  if (OUT_OF_SPACE.has(property(thrown, 'code'))) {
    return new TabmeshError('quota_exceeded', `${what}: there is no storage space left`, {
      hint: 'Free space on this disk; what was stored before is intact.',
      cause: thrown,
    });
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (name === 'DataCloneError') {
    return new TabmeshError('invalid_input', `${what}: the value cannot be stored: ${reason}`, { cause: thrown });
  }
  return new TabmeshError('storage_failed', `${what}: ${reason}`, {
    hint: 'Reload; if it happens again, check that this browser or folder may store data.',
    cause: thrown,
  });
}

/** What every operation of a closed store throws. */
export function closedError(store: string): TabmeshError {
  return new TabmeshError('storage_failed', `the store "${store}" is closed`);
}

function property(thrown: unknown, key: 'name' | 'code'): string {
  if (typeof thrown !== 'object' || thrown === null) return '';
  const value = (thrown as Partial<Record<typeof key, unknown>>)[key];
  return typeof value === 'string' ? value : '';
}
