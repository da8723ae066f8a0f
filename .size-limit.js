import { bundleFiles } from './scripts/bundle-files.ts';

const BUILD = 'dist/app';
const { firstPaint, page } = bundleFiles(BUILD);

// The limits of the page are promises (see docs/limits.md); those of the workers keep what is there from growing unseen.
export default [
  { name: 'page, until the first paint', path: firstPaint, gzip: true, limit: '60 kB' },
  { name: 'page, until joined', path: page, gzip: true, limit: '500 kB' },
  { name: 'worker: workflow', path: `${BUILD}/assets/workflow-*.js`, gzip: true, limit: '100 kB' },
  { name: 'worker: search', path: `${BUILD}/assets/search-*.js`, gzip: true, limit: '100 kB' },
  { name: 'worker: research', path: `${BUILD}/assets/research-*.js`, gzip: true, limit: '100 kB' },
  { name: 'worker: data', path: `${BUILD}/assets/data-*.js`, gzip: true, limit: '100 kB' },
  { name: 'service worker', path: `${BUILD}/sw.js`, gzip: true, limit: '15 kB' },
];
