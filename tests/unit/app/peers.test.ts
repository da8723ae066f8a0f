import { describe, expect, it } from 'vitest';
import { filterPeers, servedTotal, sortPeers } from '../../../src/app/mesh/peer-rows.ts';
import { initials, peerHue } from '../../../src/app/ui/peer-colour.ts';
import { fakePeerId, fakePeers } from '../../support/fake-data.ts';

const peers = fakePeers(60, true, ['search_index', 'echo']);

describe('the list of peers', () => {
  it('begins with oneself and the relay, and does not depend on the order of arrival', () => {
    const sorted = sortPeers(peers);
    expect(sorted[0]?.link).toBe('self');
    expect(sorted[1]?.kind).toBe('relay');
    expect(sortPeers([...peers].reverse())).toEqual(sorted);
    expect(sorted).toHaveLength(peers.length);
  });

  it('is filtered by name, id and tool', () => {
    const last = peers.at(-1);
    expect(filterPeers(peers, '')).toBe(peers);
    expect(filterPeers(peers, last?.peer ?? '')).toEqual([last]);
    expect(filterPeers(peers, ' FETCH_PAGE ').map(({ kind }) => kind)).toEqual(['relay']);
  });

  it('adds up the calls served', () => {
    expect(servedTotal({ ...peers[0]!, served: { a: 2, b: 40 } })).toBe(42);
  });
});

describe('faces', () => {
  it('has the same hue for the same id, and many hues for many ids', () => {
    const hues = Array.from({ length: 100 }, (_, n) => peerHue(fakePeerId(n)));
    expect(peerHue(fakePeerId(3))).toBe(hues[3]);
    expect(new Set(hues).size).toBeGreaterThan(12);
    for (const hue of hues) expect(hue).toBeLessThan(360);
  });

  it.each([
    ['Amber Heron · 7f3k2q', 'AH'],
    ['relay.example.org', 'R'],
    ['  ', '?'],
    ['𝒜lpha beta gamma', '𝒜B'],
  ])('%s shows %s', (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});
