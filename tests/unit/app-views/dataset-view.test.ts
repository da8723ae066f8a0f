import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CidString, DeviceId } from '../../../src/lib/ids.ts';
import { carFileName, deletionText, holding, unreachable } from '../../../src/app/data/dataset-view.ts';
import { PART_SIZE, recordParts } from '../../../src/app/data/record-parts.ts';

const here = { device: 'a' as DeviceId, name: 'Amber Heron', online: true, self: true };
const other = { device: 'b' as DeviceId, name: 'Blue Finch', online: true, self: false };
const gone = { device: 'c' as DeviceId, name: 'Grey Wren', online: false, self: false };

describe('where a dataset is', () => {
  it('counts this device apart from the others', () => {
    expect(holding({ holders: [here, other, gone] })).toEqual({ here: true, others: 2, online: 1 });
    expect(holding({ holders: [] })).toEqual({ here: false, others: 0, online: 0 });
  });

  it('is unreachable only when nobody who holds it is here', () => {
    expect(unreachable({ holders: [here] })).toBeNull();
    expect(unreachable({ holders: [other, gone] })).toBeNull();
    expect(unreachable({ holders: [gone] })).toContain('Grey Wren');
    expect(unreachable({ holders: [] })).toContain('No device');
  });

  it('is said before this copy is deleted', () => {
    const dataset = { name: 'sleep', count: 1204 };
    expect(deletionText({ ...dataset, holders: [here] })).toMatch(/1,204 records.*gone for the whole room/);
    expect(deletionText({ ...dataset, holders: [here, gone] })).toMatch(/1 other device keeps theirs/);
    expect(deletionText({ ...dataset, holders: [here, other, gone] })).toMatch(/2 other devices keep theirs/);
  });
});

describe('carFileName', () => {
  it('is a name that every file system takes', () => {
    const data = 'bafyreiabcdefgh12345678' as CidString;
    expect(carFileName({ name: '"gut microbiome"[ti] / review?', data })).toBe(
      'gut-microbiome-[ti]-review-12345678.car',
    );
    expect(carFileName({ name: '...', data })).toBe('dataset-12345678.car');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (name) => {
        const file = carFileName({ name, data });
        // eslint-disable-next-line no-control-regex -- they are what must not be there
        expect(file).not.toMatch(/[\u0000-\u001f<>:"/\\|?*]|^[.-]/);
        expect(Array.from(file).length).toBeLessThanOrEqual(93);
      }),
    );
  });
});

describe('recordParts', () => {
  it('covers every record once, in order, in parts that can be scrolled', () => {
    fc.assert(
      fc.property(fc.nat(20_000_000), (count) => {
        const parts = recordParts(count);
        let next = 0;
        for (const part of parts) {
          expect(part.offset).toBe(next);
          expect(part.count).toBeLessThanOrEqual(PART_SIZE);
          next += part.count;
        }
        expect(next).toBe(count);
      }),
    );
  });
});
