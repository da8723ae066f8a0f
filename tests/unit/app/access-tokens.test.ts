import { describe, expect, it } from 'vitest';
import { snippets } from '../../../src/app/access/tokens/snippets.ts';
import { fieldErrors, newTokenDraft, readTokenDraft } from '../../../src/app/access/tokens/token-form.ts';
import { hasExpired, scopeText } from '../../../src/app/access/tokens/token-words.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { readTokenRequest } from '../../../relay/tokens/request.ts';

const NOW = 1_700_000_000_000;
const DAY_MS = 24 * 3600_000;

describe('the form of a new token', () => {
  it('begins with the safe choices, which the relay takes', () => {
    const read = readTokenDraft(newTokenDraft(), NOW);
    expect(read).toEqual({
      request: {
        name: 'AI client',
        classes: ['read', 'compute'],
        tools: null,
        perMinute: null,
        expiresAt: NOW + 90 * DAY_MS,
      },
    });
    expect(readTokenRequest('request' in read ? read.request : null, NOW)).toMatchObject({ name: 'AI client' });
  });

  it('reads name, tools, rate and a life without end', () => {
    const draft = {
      ...newTokenDraft(),
      name: ' Claude ',
      narrow: true,
      tools: ['search_index'],
      perMinute: ' 60 ',
      lifetime: 'never' as const,
    };
    expect(readTokenDraft(draft, NOW)).toMatchObject({
      request: { name: 'Claude', tools: ['search_index'], perMinute: 60, expiresAt: null },
    });
    // what was chosen before the switch was turned off counts for nothing
    expect(readTokenDraft({ ...draft, narrow: false }, NOW)).toMatchObject({ request: { tools: null } });
  });

  it.each(['0', '-1', '1.5', 'many', '1000001', '1e3'])('does not take %s for a rate', (perMinute) => {
    expect(readTokenDraft({ ...newTokenDraft(), perMinute }, NOW)).toEqual({
      wrong: { perMinute: expect.stringContaining('whole number') as string },
    });
  });

  it('names every field that is wrong', () => {
    expect(readTokenDraft({ ...newTokenDraft(), classes: [], narrow: true }, NOW)).toEqual({
      wrong: {
        classes: expect.stringContaining('at least one') as string,
        tools: expect.stringContaining('at least one') as string,
      },
    });
  });

  it('puts what the relay found wrong to its field', () => {
    const thrown = (request: object) => {
      try {
        readTokenRequest(request, NOW);
      } catch (error) {
        if (error instanceof TabmeshError) return fieldErrors(error.toWire());
      }
      return undefined;
    };
    expect(thrown({ name: 'a\u0000b' })).toEqual({ name: expect.stringContaining('control character') as string });
    expect(thrown({ name: 'a', expiresAt: 1 })).toEqual({ expiresAt: expect.stringContaining('to come') as string });
    expect(fieldErrors(new TabmeshError('no_place', 'none').toWire())).toEqual({});
    expect(fieldErrors(new TabmeshError('invalid_input', '', { details: { issues: [null, 3] } }).toWire())).toEqual({});
  });
});

describe('what a token may do, in words', () => {
  it('says classes, tools and rate', () => {
    expect(scopeText({ classes: ['read', 'compute'], tools: null, perMinute: null })).toBe(
      'Read, compute · all tools · as fast as the relay allows',
    );
    expect(scopeText({ classes: ['write'], tools: ['a', 'b', 'c', 'd'], perMinute: 1 })).toBe(
      'Write · a, b and 2 more tools · 1 call a minute',
    );
  });

  it('has a word for a class that only a newer relay knows', () => {
    expect(scopeText({ classes: ['dream' as 'read'], tools: ['a'], perMinute: 2 })).toMatch(/^Dream · a/);
  });

  it('knows when it ends', () => {
    expect(hasExpired({ expiresAt: null }, NOW)).toBe(false);
    expect(hasExpired({ expiresAt: NOW + 1 }, NOW)).toBe(false);
    expect(hasExpired({ expiresAt: NOW }, NOW)).toBe(true);
  });
});

describe('snippets', () => {
  const token = { id: 't', name: 'n', token: 'secret"quote', mcp: 'https://relay.example.org/mcp' };
  const of = (client: string) => snippets(token).find((snippet) => snippet.client === client)?.text ?? '';

  it.each(['vscode', 'cursor'])('gives %s valid JSON with the address and the token', (client) => {
    const flat = JSON.stringify(JSON.parse(of(client)));
    expect(flat).toContain(token.mcp);
    expect(flat).toContain(JSON.stringify(`Bearer ${token.token}`).slice(1, -1));
  });

  it('starts our own program where a client can only start programs, the token in its environment', () => {
    const { mcpServers } = JSON.parse(of('claude')) as {
      mcpServers: { tabmesh: { command: string; args: string[]; env: Record<string, string> } };
    };
    expect(mcpServers.tabmesh).toEqual({
      command: 'node',
      args: ['PATH/bin/tabmesh.mjs', 'mcp', '--relay', 'https://relay.example.org/'],
      env: { TABMESH_TOKEN: token.token },
    });
    expect(of('stdio')).toBe(
      'TABMESH_TOKEN=secret"quote node PATH/bin/tabmesh.mjs mcp --relay "https://relay.example.org/"',
    );
    expect(of('claude-code')).toContain(`--transport http tabmesh "${token.mcp}"`);
  });

  it('uses the key under which each client looks', () => {
    expect(Object.keys(JSON.parse(of('vscode')) as object)).toEqual(['servers']);
    expect(Object.keys(JSON.parse(of('cursor')) as object)).toEqual(['mcpServers']);
  });
});
