import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copies } from '../../../scripts/lean-libp2p.ts';
import { loadOrCreateSelfKey } from '../../../src/mesh/node/given-key.ts';

it('one copy of each version of the protobuf runtime stands for all of that version', () => {
  const all = copies();
  const versionOf = (root: string) =>
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  // when npm has none but one, the plugin can go
  expect(Object.keys(all).length).toBeGreaterThan(new Set(Object.values(all)).size);
  for (const [root, stands] of Object.entries(all)) expect([root, versionOf(stands)]).toEqual([root, versionOf(root)]);
});

it('Helia asks for a stored key only where it is given none', async () => {
  const code = readFileSync('node_modules/@helia/libp2p/dist/src/index.js', 'utf8');
  expect(code.split('loadOrCreateSelfKey(')).toHaveLength(2);
  expect(code).toMatch(/if \(opts\.privateKey == null\) \{\s*opts\.privateKey = await loadOrCreateSelfKey\(/);
  expect(() => loadOrCreateSelfKey()).toThrow('without a key');
});
