import { describe, expect, it } from 'vitest';
import { ADJECTIVES, NOUNS } from '../../../src/mesh/identity/name-words.ts';
import { friendlyName, hueOf } from '../../../src/mesh/identity/names.ts';

const ID = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8';

describe('friendly names', () => {
  it('are stable: a change here renames the devices of everybody', () => {
    expect(friendlyName(ID)).toMatchInlineSnapshot(`"Patient Aspen · xak32p"`);
    expect(hueOf(ID)).toMatchInlineSnapshot(`307`);
  });

  it('are two words and six characters, from lists without doubles', () => {
    expect(new Set(ADJECTIVES).size).toBe(ADJECTIVES.length);
    expect(new Set(NOUNS).size).toBe(NOUNS.length);
    expect(ADJECTIVES.length * NOUNS.length).toBeGreaterThanOrEqual(64 * 64);
    for (const word of [...ADJECTIVES, ...NOUNS]) expect(word).toMatch(/^[A-Z][a-z]{1,11}$/);
    expect(friendlyName(ID)).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+ · [0-9a-hjkmnp-tv-z]{6}$/);
  });

  it('and hues tell ids apart', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `peer-${n}`);
    expect(new Set(ids.map(friendlyName)).size).toBe(ids.length);
    const hues = ids.map(hueOf);
    expect(Math.min(...hues)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...hues)).toBeLessThan(360);
    expect(new Set(hues).size).toBeGreaterThan(200);
  });
});
