import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute, VIEWS } from '../../../src/app/state/routes.ts';

const at = (address: string) => parseRoute(new URL(address, 'https://room.example'));

describe('parseRoute', () => {
  it.each([
    ['/', 'home', null],
    ['/research', 'research', null],
    ['/search?q=a%20b', 'search', null],
    ['/data/bafyabc', 'data', 'bafyabc'],
    ['/tools/search%5Findex', 'tools', 'search_index'],
    ['/mesh/', 'mesh', null],
    ['/settings/relay', 'settings', 'relay'],
  ])('%s is the view %s', (address, view, param) => {
    expect(at(address)).toMatchObject({ view, param });
  });

  it.each(['/nothing', '/research/extra', '/data/a/b', '/tools/%E0%A4%A', '/constructor'])(
    '%s is unknown',
    (address) => {
      expect(at(address)).toMatchObject({ view: 'unknown', param: null });
    },
  );

  it('keeps the query', () => {
    expect(at('/search?q=sleep+apnoea').query.get('q')).toBe('sleep apnoea');
  });

  it('gives back any name that was put into an address', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
        fc.pre(name !== '.' && name !== '..');
        expect(at(`/tools/${encodeURIComponent(name)}`).param).toBe(name);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const url = new URL('https://room.example');
        url.pathname = path;
        expect([...VIEWS, 'home', 'unknown']).toContain(parseRoute(url).view);
      }),
    );
  });
});
