import { describe, expect, it } from 'vitest';
import { countsText, outsideText } from '../../../src/app/mesh/finding/finding-words.ts';
import { wrongRelayKey } from '../../../src/app/onboarding/relay-key.ts';
import type { CountsOf } from '../../../src/contracts/peer-finding.ts';

const counts = (total: number, failed: number): CountsOf<'relay'> => ({
  name: 'relay',
  total,
  successful: total - failed,
  failed,
  successRate: 0,
  averageDurationMs: 1234,
  last: null,
  trouble: null,
});

describe('the section on finding peers', () => {
  it('says how many tries worked, and how long they took', () => {
    const plain = (...args: Parameters<typeof countsText>) => countsText(...args).replaceAll(/\s/g, ' ');
    expect(plain(counts(1, 0), ['try', 'tries'])).toBe('1 try, it worked, 1.23 s on average');
    expect(plain(counts(40, 2), ['look', 'looks'])).toBe('40 looks, 38 worked, 1.23 s on average');
    expect(plain(counts(2000, 0), ['look', 'looks'], 1)).toBe(
      '2,000 looks, all worked, 1 peer told in all, 1.23 s on average',
    );
  });

  it('says how this device is seen from outside, and what that means for links', () => {
    expect(outsideText({ publicIp: '203.0.113.5', natType: 'cone', at: 0 })).toMatch(
      /^Seen from outside as 203\.0\.113\.5; .*direct links/,
    );
    expect(outsideText({ publicIp: null, natType: 'symmetric', at: 0 })).toMatch(/not known; .*TURN/);
  });
});

describe('the access key of a relay', () => {
  it('is what a relay prints', () => {
    expect(wrongRelayKey(` ${Buffer.alloc(16, 251).toString('base64url')}\n`)).toBeNull();
  });

  it.each([
    ['', /ask the owner/],
    ['https://relay.example.org/#join=abc', /is an invite/],
    ['tooshort', /this has 8 characters/],
    ['x'.repeat(21) + '!', /22 letters/],
  ])('is not %j', (text, says) => {
    expect(wrongRelayKey(text)).toMatch(says);
  });
});
