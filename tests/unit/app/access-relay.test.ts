import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_FILTER, readFilter, verdictText, whatWords, whoWords } from '../../../src/app/access/audit/audit-words.ts';
import { definitionText } from '../../../src/app/access/relay/definition-text.ts';
import { diffLines, foldSame } from '../../../src/app/access/text/line-diff.ts';
import { visiblePieces, visibleText } from '../../../src/app/access/text/visible-text.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { plainText } from '../../../src/mesh/rpc/mcp-foreign-text.ts';
import { memoryTool } from '../../support/room-tools.ts';

describe('texts of others', () => {
  it('show what would not be seen', () => {
    expect(visibleText('a\u200bb\u202ec\u0007\ud800\u{e0041}')).toBe('a⟨U+200B⟩b⟨U+202E⟩c⟨U+0007⟩⟨U+D800⟩⟨U+E0041⟩');
    expect(visiblePieces('')).toEqual([{ text: '', hidden: false }]);
    expect(visibleText('lines\n\tstay, and اللغة and 👋 too')).toBe('lines\n\tstay, and اللغة and 👋 too');
  });

  it('hide nothing that a client is spared', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const seen = visiblePieces(text)
          .filter(({ hidden }) => !hidden)
          .map((piece) => piece.text)
          .join('');
        expect(plainText(seen, Infinity)).toBe(seen.normalize('NFC'));
      }),
    );
  });
});

describe('diffLines', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((all) => all.join('\n'));
  const without = (kind: string, diff: ReturnType<typeof diffLines>) =>
    diff
      .filter((line) => line.kind !== kind)
      .map(({ text }) => text)
      .join('\n');

  it('holds both texts', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        expect(without('new', diff)).toBe(before);
        expect(without('gone', diff)).toBe(after);
      }),
    );
  });

  it('finds one changed line among many', () => {
    const text = (n: number) => Array.from({ length: 3_000 }, (_, at) => (at === 1_500 ? `was ${n}` : `line ${at}`));
    const parts = foldSame(diffLines(text(1).join('\n'), text(2).join('\n')));
    expect(parts).toEqual([
      1_497,
      ...[1_497, 1_498, 1_499].map((at) => ({ kind: 'same', text: `line ${at}` })),
      { kind: 'gone', text: 'was 1' },
      { kind: 'new', text: 'was 2' },
      ...[1_501, 1_502, 1_503].map((at) => ({ kind: 'same', text: `line ${at}` })),
      1_496,
    ]);
  });

  it('does not stall over texts that have nothing in common', () => {
    const before = Array.from({ length: 4_000 }, (_, n) => `a${n}`).join('\n');
    const after = Array.from({ length: 4_000 }, (_, n) => `b${n}`).join('\n');
    const diff = diffLines(before, after);
    expect([without('new', diff) === before, without('gone', diff) === after]).toEqual([true, true]);
  });
});

describe('a tool’s definition as text', () => {
  const tool = (inputSchema: Record<string, unknown>) =>
    definitionText(memoryTool('shared', () => ({}), { inputSchema, description: 'One.\nTwo.' }).metadata);

  it('is the same however its keys are ordered', () => {
    expect(tool({ type: 'object', title: 'a' })).toBe(tool({ title: 'a', type: 'object' }));
    expect(tool({ title: 'b' })).not.toBe(tool({ title: 'a' }));
    expect(tool({})).toContain('  One.\n  Two.');
  });
});

describe('the audit log in words', () => {
  it('asks for what was filled in', () => {
    expect(readFilter(NO_FILTER, null)).toEqual({ query: { limit: 50 } });
    expect(readFilter({ who: ' owner ', tool: 'echo', outcome: 'ok', trace: ` ${'A'.repeat(32)}` }, 7)).toEqual({
      query: { limit: 50, before: 7, who: 'owner', tool: 'echo', outcome: 'ok', trace: 'a'.repeat(32) },
    });
    expect(readFilter({ ...NO_FILTER, trace: 'short' }, null)).toEqual({ wrong: expect.any(String) as string });
  });

  it('names members, and shortens ids', () => {
    const who = { kind: 'device', id: '12D3KooWabcdefghijklmnop', name: '12D3KooWabcdefghijklmnop' } as const;
    expect(whoWords(who, [{ device: who.id as DeviceId, name: 'Amber Heron' }])).toBe('Amber Heron');
    expect(whoWords(who, [])).toBe('12D3KooW…mnop');
    expect(whoWords({ kind: 'token', id: 't', name: 'Claude', via: [who.id] }, [])).toBe(
      'Claude through 12D3KooW…mnop',
    );
    expect(whatWords({ event: 'token.created', what: 'abc Claude on my laptop' })).toBe('Claude on my laptop');
    expect(whatWords({ event: 'call', what: 'search_index' })).toBe('search_index');
    expect(whatWords({ event: 'served', what: 'search_index', calls: 412 })).toBe('search_index × 412');
    expect(whatWords({ event: 'definition.refused', what: 'abc echo' })).toBe('echo');
  });

  it('says what a check of the chain found', () => {
    const whole = { ok: true, entries: 12, first: 1, last: 12, head: 'ab', broken: null };
    expect(verdictText(whole)).toBe('The chain is whole: 12 entries, number 1 to 12.');
    expect(verdictText({ ...whole, entries: 0, first: null, last: null })).toBe('The log has no entries.');
    const broken = { file: 'audit-1.jsonl', line: 3, reason: 'the hash does not fit' };
    expect(verdictText({ ...whole, ok: false, broken })).toContain('audit-1.jsonl, line 3: the hash does not fit');
  });
});
