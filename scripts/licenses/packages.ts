import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A package of others that Tabmesh is made of. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** an SPDX expression, or undefined when the package names none */
  readonly license: string | undefined;
  /** the texts of its licence and notice files; none for another platform's build of a package */
  readonly texts: readonly string[];
}

/** The fields of a lock file's row that are read here. */
interface LockRow {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  /** present in a package that is one platform's build of another */
  readonly os?: readonly string[];
}

const LICENCE_FILE = /^(?:licen[cs]es?|copying|notice|unlicense)(?:[.-].*)?$/i;
const README_FILE = /^readme(?:\.\w+)?$/i;
/** Some packages state their licence only there, from this heading to the end. */
const README_LICENCE = /^#+ *licen[cs]e\b[\s\S]*/im;

/**
 * Every package in `dependencies`, and what these need, from the lock file: the same on every platform.
 * @throws when one is not installed
 */
export async function shippedPackages(): Promise<ShippedPackage[]> {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, LockRow> };
  const packages: ShippedPackage[] = [];
  for (const [path, row] of Object.entries(lock.packages)) {
    if (path === '' || row.dev === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const texts = row.os === undefined ? await textsOf(path) : [];
    packages.push({ name, version: row.version ?? '', license: row.license, texts });
  }
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

async function textsOf(folder: string): Promise<string[]> {
  await access(folder);
  const files = (await readdir(folder)).sort();
  const read = async (file: string): Promise<string> =>
    (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n').trim();
  const texts = await Promise.all(files.filter((file) => LICENCE_FILE.test(file)).map(read));
  if (texts.length > 0) return texts;
  const readme = files.find((file) => README_FILE.test(file));
  const said = readme === undefined ? null : README_LICENCE.exec(await read(readme));
  return said === null ? [] : [said[0].trim()];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
