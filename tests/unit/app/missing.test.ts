import { describe, expect, it } from 'vitest';
import { fileName } from '../../../src/app/state/download.ts';
import { missingFeatures } from '../../../src/app/state/missing.ts';

const whole = { isSecureContext: true, RTCPeerConnection: {}, indexedDB: {}, Worker: {}, navigator: { locks: {} } };
const names = (scope: object) => missingFeatures(scope as typeof globalThis).map(({ what }) => what);

describe('missingFeatures', () => {
  it('finds nothing in a browser that has all', () => {
    expect(names(whole)).toEqual([]);
  });

  it('names an insecure page, and not what is absent only for that', () => {
    expect(names({ ...whole, isSecureContext: false, navigator: {} })).toEqual(['A secure connection']);
  });

  it('names each thing that is absent', () => {
    expect(names({ isSecureContext: true, navigator: {} })).toEqual([
      'WebRTC',
      'IndexedDB',
      'Web Locks',
      'Web workers',
    ]);
  });
});

describe('fileName', () => {
  it('keeps letters of every script and nothing that a file system refuses', () => {
    expect(fileName('Sleep & metabolism/2026')).toBe('sleep-metabolism-2026');
    expect(fileName('أثر النوم')).toBe('أثر-النوم');
    expect(fileName('???')).toBe('tabmesh');
  });
});
