import type { ShippedPackage } from './packages.ts';

const RULE = '-'.repeat(80);
const HEAD = `Tabmesh is made with the work of others, under these licences.
Written by "npm run licenses"; do not edit.`;

/** The text that goes with every copy: each licence text once, after the packages that it belongs to. */
export function noticesOf(packages: readonly ShippedPackage[]): string {
  const byText = new Map<string, string[]>();
  for (const { name, version, license, texts } of packages) {
    const text = texts.join('\n\n');
    const title = `${name} ${version} (${license ?? 'no licence named'})`;
    byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const untold = byText.get('') ?? [];
  byText.delete('');
  const sections = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`);
  if (untold.length > 0) sections.push(`${untold.join('\n')}\n\n(the package holds no licence text)`);
  return `${[HEAD, ...sections].join(`\n\n${RULE}\n\n`)}\n`;
}
