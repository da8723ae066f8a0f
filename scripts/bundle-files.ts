import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A row of Vite's manifest. */
interface ManifestChunk {
  readonly file: string;
  readonly isEntry?: boolean;
  /** keys of the chunks that load with this one */
  readonly imports?: readonly string[];
  /** keys of those that it loads when it needs them */
  readonly dynamicImports?: readonly string[];
}

/** A bundle's scripts by when they load; paths from the project's folder. */
export interface BundleFiles {
  /** what must be there before anything is on screen: the page's script, the app's chunk, and all that these import */
  readonly firstPaint: readonly string[];
  /** what has loaded when this peer has joined its room: that, the peer, and the largest view that a page can open with */
  readonly joined: readonly string[];
  /** every chunk of the page, workers and service worker apart */
  readonly page: readonly string[];
  /** by the name of their entry; Vite builds each on its own and keeps them out of the manifest */
  readonly workers: Readonly<Record<string, string>>;
}

/** What Vite puts after a chunk's name. */
const HASH = /-[\w-]{8}\.js$/;
/** The chunk that `src/app/first.ts` loads at once. */
const APP = 'src/app/main.ts';
/** The chunks that it loads on every page; `e2e/smoke.spec.ts` fails when there are more. */
const STARTED = ['src/peer/tab.ts', 'src/app/sw/register.ts', 'src/tools/routing/router.ts'];
/** A folder of the app for each view, with its component of the same name; the other chunks come when something asks for them. */
const VIEW = /^src\/app\/(?!onboarding\/)[a-z]+\/[A-Z]\w*\.svelte$/;
/** Loaded by the Mesh view as soon as it is shown. */
const WITH_VIEW: Readonly<Record<string, readonly string[]>> = {
  'src/app/mesh/Mesh.svelte': ['src/app/mesh/graph/MeshGraph.svelte'],
};

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
  const start = [...entries, APP, ...STARTED];
  const missing = [...STARTED, ...Object.values(WITH_VIEW).flat()].filter((key) => manifest[key] === undefined);
  if (missing.length > 0) throw new Error(`${path} lacks ${missing.join(', ')}`);
  const views = (manifest[APP].dynamicImports ?? []).filter((key) => VIEW.test(key));
  const withView = views.map((view) => files(withImports(manifest, [...start, view, ...(WITH_VIEW[view] ?? [])])));
  const [joined] = withView.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  if (joined === undefined) throw new Error(`${path} names no view that ${APP} loads`);
  return {
    firstPaint: files(withImports(manifest, [...entries, APP])),
    joined,
    page,
    workers: workersOf(folder, page),
  };
}

const sizeOf = (files: readonly string[]): number => files.reduce((sum, file) => sum + statSync(file).size, 0);

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
