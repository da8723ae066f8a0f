import { describe, expect, it } from 'vitest';
import { snippets } from '../../../src/app/settings/snippets.ts';
import { readStunUrls } from '../../../src/app/settings/stun-urls.ts';

describe('readStunUrls', () => {
  it('takes one address a line, each once', () => {
    expect(
      readStunUrls(' stun:stun.example.org:3478 \n\nturn:t.example.org?transport=tcp\nstun:stun.example.org:3478'),
    ).toEqual({
      urls: ['stun:stun.example.org:3478', 'turn:t.example.org?transport=tcp'],
    });
    expect(readStunUrls('\n')).toEqual({ urls: [] });
  });

  it.each(['https://stun.example.org', 'stun:', 'stun://stun.example.org', 'stun:a b', 'stun:x?transport=udp'])(
    'names the line that is no address: %s',
    (line) => {
      expect(readStunUrls(`stun:ok.example.org\n${line}`)).toEqual({ bad: line });
    },
  );
});

describe('snippets', () => {
  const token = { id: 't', name: 'n', token: 'secret"quote', mcp: 'https://relay.example.org/mcp' };

  it('gives every client valid JSON with the address and the token', () => {
    for (const { text, client } of snippets(token)) {
      const flat = JSON.stringify(JSON.parse(text));
      expect(flat, client).toContain(token.mcp);
      expect(flat, client).toContain(JSON.stringify(`Bearer ${token.token}`).slice(1, -1));
    }
  });

  it('uses the key under which each client looks', () => {
    const keys = snippets(token).map(({ client, text }) => [client, Object.keys(JSON.parse(text) as object)]);
    expect(keys).toEqual([
      ['claude', ['mcpServers']],
      ['vscode', ['servers']],
      ['cursor', ['mcpServers']],
    ]);
  });
});
