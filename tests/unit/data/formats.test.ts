import { describe, expect, it } from 'vitest';
import { link } from '../../../src/data/codec.ts';
import { manifestShape, pageShape, recordShape, rootShape } from '../../../src/data/formats.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { provenance, record } from './support.ts';

const CID = 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae' as CidString;
const root = { format: 'tabmesh/dataset', version: 1, count: 3, bytes: 12, pages: [link(CID)] };
const manifest = {
  format: 'tabmesh/dataset-manifest',
  version: 1,
  data: link(CID),
  name: 'n',
  provenance: provenance(),
};

const corrupt: unknown = expect.objectContaining({ code: 'corrupt' });
const newer: unknown = expect.objectContaining({ code: 'format_newer' });

describe('a sound value', () => {
  it('is read with its links as addresses', () => {
    expect(recordShape(record('1'), 'it')).toEqual(record('1'));
    expect(rootShape(root, 'it')).toEqual({ ...root, pages: [CID] });
    expect(manifestShape(manifest, 'it')).toEqual({ ...manifest, data: CID });
    expect(pageShape({ records: [link(CID)] }, 'it')).toEqual({ records: [CID] });
  });
});

describe('a damaged value', () => {
  const { title: _, ...untitled } = record('1');
  it.each<[string, () => unknown]>([
    ['a record that is a list', () => recordShape([], 'it')],
    ['a record without a title', () => recordShape(untitled, 'it')],
    ['a title only inherited', () => recordShape(Object.setPrototypeOf(untitled, { title: 'x' }), 'it')],
    ['a number as a title', () => recordShape({ ...record('1'), title: 1 }, 'it')],
    ['a link as a script', () => recordShape({ ...record('1'), url: 'javascript:alert(1)' }, 'it')],
    ['a broken author', () => recordShape({ ...record('1'), authors: [{ name: 'x' }] }, 'it')],
    ['a record where a page should be', () => pageShape(record('1'), 'it')],
    ['an address as text in a page', () => pageShape({ records: [CID] }, 'it')],
    ['another format', () => rootShape({ ...root, format: 'tabmesh/other' }, 'it')],
    ['version 0', () => rootShape({ ...root, version: 0 }, 'it')],
    ['a negative count', () => rootShape({ ...root, count: -1 }, 'it')],
    ['a count beyond doubles', () => rootShape({ ...root, count: 2n ** 60n }, 'it')],
    ['a manifest without provenance', () => manifestShape({ ...manifest, provenance: null }, 'it')],
  ])('is corrupt: %s', (_name, read) => {
    expect(read).toThrow(corrupt);
  });
});

describe('a value of a later version', () => {
  it.each<[string, () => unknown]>([
    ['root', () => rootShape({ format: root.format, version: 2, anything: true }, 'it')],
    ['manifest', () => manifestShape({ ...manifest, version: 7 }, 'it')],
    ['record with a field more', () => recordShape({ ...record('1'), citations: 3 }, 'it')],
    ['record of another source', () => recordShape({ ...record('1'), source: 'trials' }, 'it')],
  ])('is told from a damaged one: %s', (_name, read) => {
    expect(read).toThrow(newer);
  });
});
