import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A row of Vite's manifest. */
interface ManifestChunk {
  readonly file: string;
  readonly isEntry?: boolean;
  /** keys of the chunks that load with this one */
  readonly imports?: readonly string[];
}

/** A bundle's scripts by when they load; paths from the project's folder. */
export interface BundleFiles {
  /** what must be there before anything is on screen: the page's script, the app's chunk, and all that these import */
  readonly firstPaint: readonly string[];
  /** every chunk of the page, workers and service worker apart */
  readonly page: readonly string[];
  /** by the name of their entry; Vite builds each on its own and keeps them out of the manifest */
  readonly workers: Readonly<Record<string, string>>;
}

/** What Vite puts after a chunk's name. */
const HASH = /-[\w-]{8}\.js$/;
/** The chunk that `src/app/first.ts` loads at once. */
const APP = 'src/app/main.ts';

/**
 * Reads which files are which from `.vite/manifest.json` of a build.
 * @param folder the build's
 * @throws when there is no build, or its manifest lacks the page's script
 */
export function bundleFiles(folder: string): BundleFiles {
  const path = join(folder, '.vite/manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, ManifestChunk>;
  const entries = Object.keys(manifest).filter((key) => manifest[key]?.isEntry === true);
  if (entries.length === 0 || manifest[APP] === undefined) throw new Error(`${path} lacks the page's script or ${APP}`);
  const files = (keys: Iterable<string>): string[] =>
    [...new Set([...keys].map((key) => join(folder, manifest[key]?.file ?? key)))].filter((file) =>
      file.endsWith('.js'),
    );
  const page = files(Object.keys(manifest));
  return { firstPaint: files(withImports(manifest, [...entries, APP])), page, workers: workersOf(folder, page) };
}

function workersOf(folder: string, page: readonly string[]): Record<string, string> {
  const scripts = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
  const workers = scripts.map((name) => join(folder, 'assets', name)).filter((file) => !page.includes(file));
  return Object.fromEntries(workers.map((file) => [basename(file).replace(HASH, ''), file]));
}

function withImports(manifest: Readonly<Record<string, ManifestChunk>>, keys: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    manifest[key]?.imports?.forEach(visit);
  };
  keys.forEach(visit);
  return seen;
}
