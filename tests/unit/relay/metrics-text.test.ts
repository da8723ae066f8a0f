import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samplesText, type Sample } from '../../../relay/http/metrics-text.ts';

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;
const unescape = (text: string) => text.replace(/\\(.)/g, (_all, c: string) => (c === 'n' ? '\n' : c));

/** Reads the format back, as a monitoring system does. */
function parse(text: string): {
  types: Map<string, string>;
  samples: { name: string; labels: object; value: number }[];
} {
  const types = new Map<string, string>();
  const samples = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'TYPE') {
      expect(types.has(name)).toBe(false);
      types.set(name, rest);
    }
    if (kind !== undefined) continue;
    const [, metric = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    expect([...types.keys()].at(-1)).toBe(metric);
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', quoted = '']) => [key, unescape(quoted)] as const);
    samples.push({ name: metric, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) });
  }
  return { types, samples };
}

describe('metrics as text', () => {
  it('are read back as they were, whatever their labels say', () => {
    const sample = fc.record({
      name: fc.constantFrom('tabmesh_a', 'tabmesh_b', 'tabmesh_c'),
      labels: fc.dictionary(
        fc.constantFrom('tool', 'place'),
        fc.string({ unit: 'binary' }).filter((s) => !s.includes('\r')),
      ),
      value: fc.double({ noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(sample), (given) => {
        const samples: Sample[] = given.map((each) => ({ ...each, help: 'a\\b\nc', type: 'gauge' }));
        const read = parse(samplesText(samples));
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
        const plain = given.map(({ name, labels, value }) => ({ name, labels: { ...labels }, value: value + 0 }));
        expect(read.samples.toSorted(byName)).toEqual(plain.toSorted(byName));
        for (const type of read.types.values()) expect(type).toBe('gauge');
      }),
    );
  });

  it('of nothing are nothing', () => {
    expect(samplesText([])).toBe('');
  });
});
