import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

/** Helia makes itself a key from a stored one unless it is given one; that brings a keychain along, with PKCS#8 and ASN.1. */
const STORED_KEYS = '@libp2p/config';
const GIVEN_KEY = fileURLToPath(new URL('../src/mesh/node/given-key.ts', import.meta.url));

const RUNTIME = 'protons-runtime';
const PLACES = ['', '*', '@*/*'].map((owner) =>
  join('node_modules', owner, owner === '' ? '' : 'node_modules', RUNTIME),
);

/**
 * Leaves out of the tab's bundle what libp2p brings along and no tab runs: the keychain behind a node's stored key, and all
 * copies but one of the same version of the protobuf runtime, which npm installs below each of a dozen packages.
 */
export const leanLibp2p: Plugin = {
  name: 'lean-libp2p',
  enforce: 'pre',
  async resolveId(source, importer, options) {
    if (source === STORED_KEYS) return GIVEN_KEY;
    if (source !== RUNTIME) return null;
    const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
    if (resolved === null) return null;
    const copy = Object.entries(copies()).find(([root]) => resolved.id.startsWith(root + sep));
    return copy === undefined ? resolved : { ...resolved, id: copy[1] + resolved.id.slice(copy[0].length) };
  },
};

let found: Record<string, string> | null = null;

/** By the folder of each copy of the runtime: the folder of the first of the same version. */
export function copies(): Readonly<Record<string, string>> {
  if (found !== null) return found;
  const roots = globSync(PLACES.map((place) => join(place, 'package.json')))
    .map((file) => resolve(dirname(file)))
    .sort();
  const first = new Map<string, string>();
  const known: Record<string, string> = {};
  for (const root of roots) {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
    if (!first.has(version)) first.set(version, root);
    known[root] = first.get(version) ?? root;
  }
  return (found = known);
}
