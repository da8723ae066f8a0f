import type { ShippedPackage } from './packages.ts';

/** Licences that let everybody use, change and pass on the whole of Tabmesh, closed or open. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  // Unicode's tables and the like: data, attribution is enough
  'CC-BY-4.0',
  // fonts; its share-alike ends at the font itself
  'OFL-1.1',
  'WTFPL',
]);

/**
 * MPL-2.0 binds changes to its own files, of which there are none, and asks that their source be had, which npm sees
 * to. WebRTC for Node has it; it is never in the tab's bundle. ("MPL 2.0" is how these packages spell it.)
 */
const WEBRTC_FOR_NODE = /^(?:node-datachannel|@node-datachannel\/.*)$/;

/** Says what is wrong with a package's licence; undefined when nothing is. */
export function licenceProblem({ name, version, license }: ShippedPackage): string | undefined {
  if (license === undefined) return `${name}@${version} names no licence`;
  if (isAllowed(license) || (license === 'MPL 2.0' && WEBRTC_FOR_NODE.test(name))) return undefined;
  return `${name}@${version} is under ${license}, which is not on the list in scripts/licenses/policy.ts`;
}

/** Of an SPDX expression without parentheses inside others: OR needs one side, AND all. */
function isAllowed(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((id) => ALLOWED.has(id.trim())));
}
