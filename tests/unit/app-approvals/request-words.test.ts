import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RoomDataset } from '../../../src/contracts/ports.ts';
import type { CidString, DeviceId } from '../../../src/lib/ids.ts';
import type { ToolMetadata } from '../../../src/contracts/tools.ts';
import { askerName, requestArguments, toolSentence, toolTitle } from '../../../src/app/approvals/request-words.ts';

const data = 'bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae' as CidString;

function dataset(selfHolds: boolean, others: number): RoomDataset {
  const holder = (n: number, self: boolean) => ({ device: `d${n}` as DeviceId, name: `d${n}`, online: true, self });
  return {
    data,
    manifest: 'bafyreimanifest' as CidString,
    name: 'sleep',
    count: 20,
    bytes: 45_000,
    query: 'sleep',
    source: 'pubmed',
    createdAt: '2026-01-01T00:00:00Z',
    complete: true,
    holders: [
      ...(selfHolds ? [holder(0, true)] : []),
      ...Array.from({ length: others }, (_, n) => holder(n + 1, false)),
    ],
  };
}

function rowsOf(args: unknown, datasets: readonly RoomDataset[] = []) {
  const read = requestArguments({ args: JSON.stringify(args) }, datasets);
  if (read.form !== 'list') throw new Error('expected a list');
  return read;
}

describe('who asks', () => {
  it('is named in one line, with nothing hidden, and cut', () => {
    const member = (name: string) => askerName({ name, class: 'member' });
    expect(member('Amber Heron · 7f3k2q')).toBe('Amber Heron · 7f3k2q');
    expect(member('a\n\n b\u202etxt.exe')).toBe('a b⟨U+202E⟩txt.exe');
    expect(member(' \n ')).toBe('a device without a name');
    expect(Array.from(member('x'.repeat(500)))).toHaveLength(60);
    expect(askerName({ name: 'Amber Heron', class: 'relay' })).toBe('token “Amber Heron”');
  });

  it('never has a character that hides or breaks the line, whatever the name', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(anything, (name) => {
        const shown = askerName({ name, class: 'member' });
        expect(shown).not.toMatch(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u);
        expect(Array.from(shown).length).toBeLessThanOrEqual(60);
        expect(shown).not.toBe('');
      }),
    );
  });
});

describe('what is asked for', () => {
  it('has the title that this device gives the tool, else its name', () => {
    const own = { annotations: { title: 'Delete a dataset' } } as ToolMetadata;
    expect(toolTitle(own, 'delete_dataset')).toBe('Delete a dataset');
    expect(toolTitle(undefined, 'delete\ndataset')).toBe('delete dataset');
  });

  it('is said in the first sentence of its own description', () => {
    expect(toolSentence({ description: 'Deletes a copy; others stay. It asks.' })).toBe('Deletes a copy.');
    expect(toolSentence({ description: 'Reads v1.2 of it' })).toBe('Reads v1.2 of it');
    expect(toolSentence({ description: 'Does it.' })).toBe('Does it.');
  });

  it('names the dataset that an argument means, and who else has a copy', () => {
    const only = rowsOf({ data }, [dataset(true, 0)]).rows[0];
    expect(only).toMatchObject({ name: 'data', text: data, cut: false });
    expect(only?.dataset).toBe('the dataset “sleep”: 20 records, 45 KB, this device has the only copy');
    expect(rowsOf({ data }, [dataset(true, 1)]).rows[0]?.dataset).toMatch(/1 other device has a copy$/);
    expect(rowsOf({ data }, [dataset(true, 3)]).rows[0]?.dataset).toMatch(/3 other devices have a copy$/);
    expect(rowsOf({ data }, [dataset(false, 1)]).rows[0]?.dataset).toMatch(/not kept here$/);
    expect(rowsOf({ data: 'another' }, [dataset(true, 0)]).rows[0]?.dataset).toBeNull();
  });

  it('lists some arguments, cuts long ones, and counts the rest', () => {
    const { rows, more } = rowsOf({
      long: 'x'.repeat(400),
      deep: { a: [1] },
      ...Object.fromEntries('abcdefgh'.split('').map((k) => [k, 1])),
    });
    expect(rows).toHaveLength(8);
    expect(more).toBe(2);
    expect(rows[0]).toMatchObject({ name: 'long', cut: true });
    expect(rows[1]).toMatchObject({ text: '{"a":[1]}', cut: false });
  });

  it('shows what was cut off, or is no object, as text', () => {
    for (const args of ['{"text":"all work and no pl…', '[1,2]', 'null', '"text"', '']) {
      expect(requestArguments({ args }, [])).toEqual({ form: 'text' });
    }
  });

  it('reads whatever was sent', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (args) => {
        const { rows, more } = rowsOf(args);
        expect(rows.length + more).toBe(Object.keys(JSON.parse(JSON.stringify(args)) as object).length);
      }),
    );
  });
});
