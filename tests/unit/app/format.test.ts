import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatRelative,
  plural,
  shortenMiddle,
  threeDigits,
} from '../../../src/app/ui/format.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.012345, '0.0123'],
    [1.2345, '1.23'],
    [99.96, '100'],
    [1234, '1,230'],
    [12_345_678, '12,300,000'],
  ])('%d has three significant digits: %s', (value, text) => {
    expect(threeDigits(value)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999.7, '1 KB'],
    [1240, '1.24 KB'],
    [999_900, '1 MB'],
    [48_123_456_789, '48.1 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('never prints four digits before a unit of bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^\d{1,3}(\.\d+)? (B|KB|MB|GB|TB|PB)$/);
      }),
    );
  });

  it('counts one thing in the singular', () => {
    expect(plural(1, 'record')).toBe('1 record');
    expect(plural(1204, 'record')).toBe('1,204 records');
    expect(plural(2, 'reply', 'replies')).toBe('2 replies');
  });
});

describe('times', () => {
  it.each([
    [0.824, '0.824 ms'],
    [124, '124 ms'],
    [999.9, '1 s'],
    [1240, '1.24 s'],
    [59_400, '59.4 s'],
    [59_800, '1 min'],
    [184_000, '3 min 4 s'],
    [7_500_000, '2 h 5 min'],
    [3 * 86_400_000, '3 d'],
  ])('%d ms last %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [5_000, 'now'],
    [40_000, '40 s ago'],
    [-300_000, 'in 5 min'],
    [10_800_000, '3 h ago'],
    [2 * 86_400_000, '2 d ago'],
  ])('%d ms back is %s', (back, text) => {
    const now = Date.UTC(2026, 5, 1, 12);
    expect(formatRelative(now - back, now)).toBe(text);
  });
});

describe('shortenMiddle', () => {
  it('keeps both ends and never makes a text longer', () => {
    expect(shortenMiddle('bafyreib2q7xk')).toBe('bafyreib2q7xk');
    expect(shortenMiddle('bafyreib0123456789q7xk')).toBe('bafyreib…q7xk');
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        const short = shortenMiddle(text);
        expect(short.length).toBeLessThanOrEqual(text.length);
        expect(text.startsWith(short.slice(0, 8))).toBe(true);
      }),
    );
  });
});
