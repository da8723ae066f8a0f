import { describe, expect, it } from 'vitest';
import { matchCommands, type Command } from '../../../src/app/shell/palette-commands.ts';

const command = (label: string, kind: string, words?: string): Command => ({
  id: label,
  label,
  kind,
  run: () => undefined,
  ...(words === undefined ? {} : { words }),
});
const all = [
  command('Research', 'Go to'),
  command('Search', 'Go to'),
  command('Search the room', 'Run tool', 'search_index'),
  command('Copy the invite link', 'Invite', 'share qr'),
];
const labels = (typed: string) => matchCommands(all, typed).map(({ label }) => label);

describe('matchCommands', () => {
  it('keeps the order when nothing is typed', () => {
    expect(labels('  ')).toEqual(['Research', 'Search', 'Search the room', 'Copy the invite link']);
  });

  it('finds by the beginnings of words, hidden ones too', () => {
    expect(labels('QR')).toEqual(['Copy the invite link']);
    expect(labels('index')).toEqual(['Search the room']);
    expect(labels('run sea')).toEqual(['Search the room']);
    expect(labels('earch')).toEqual([]);
  });

  it('puts labels that begin with the text first', () => {
    const list = [command('Open the search', 'Room'), command('Search', 'Go to')];
    expect(matchCommands(list, 'search').map(({ label }) => label)).toEqual(['Search', 'Open the search']);
  });

  it('shows no more than can be seen', () => {
    const many = Array.from({ length: 500 }, (_, n) => command(`Room ${String(n)}`, 'Switch room'));
    expect(matchCommands(many, 'room').length).toBeLessThanOrEqual(12);
  });
});
