import { bundleFiles } from './scripts/bundle-files.ts';

/** About 1.4 times what they were when this was written: enough to grow in, too little for a library by accident. */
const WORKER_LIMITS = { data: '30 kB', research: '45 kB', search: '45 kB', workflow: '20 kB' };

const BUILD = 'dist/app';
const { firstPaint, joined, page, workers } = bundleFiles(BUILD);

for (const name of Object.keys(workers)) {
  if (!(name in WORKER_LIMITS)) throw new Error(`.size-limit.js has no limit for the worker "${name}"`);
}

export default [
  { name: 'page, until the first paint', path: firstPaint, gzip: true, limit: '60 kB' },
  { name: 'page, until joined', path: joined, gzip: true, limit: '500 kB' },
  // all views, and what is loaded when somebody asks for it
  { name: 'page, every chunk', path: page, gzip: true, limit: '600 kB' },
  ...Object.entries(WORKER_LIMITS).map(([name, limit]) => ({
    name: `worker ${name}`,
    // one that was not built fails: size-limit does not take a path that leads nowhere
    path: workers[name] ?? `${BUILD}/assets/${name}.js`,
    gzip: true,
    limit,
  })),
  { name: 'service worker', path: `${BUILD}/sw.js`, gzip: true, limit: '10 kB' },
];
