import { relative, resolve, sep } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const OUT = 'dist/relay';
const OURS = ['relay', 'src'].map((folder) => resolve(folder) + sep);

/** Files that the relay reads lie beside its sources: a bundled module still knows where its own was. */
const ownPlaces: Plugin = {
  name: 'own-places',
  enforce: 'pre',
  transform: {
    filter: { code: 'import.meta.url' },
    handler(code, id) {
      if (!OURS.some((folder) => id.startsWith(folder))) return null;
      const place = JSON.stringify(relative(resolve(OUT), id).replaceAll(sep, '/'));
      return { code: code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`), map: null };
    },
  },
};

/** Keeps source maps to our own modules. Those of packages are ten times as large, and Node holds all that it has loaded. */
const ownMaps: Plugin = {
  name: 'own-maps',
  enforce: 'pre',
  transform: {
    filter: { id: /node_modules/ },
    handler: (code) => ({ code, map: { mappings: '' } }),
  },
};

/**
 * The relay as a few files: Node reads, compiles and keeps a tenth of what it does when it is started from source, where it
 * loads thousands of modules.
 */
export default defineConfig({
  publicDir: false,
  plugins: [ownPlaces, ownMaps],
  // one looks for its native library beside itself, of the other only files are served
  ssr: { noExternal: true, external: ['node-datachannel', 'swagger-ui-dist'] },
  build: {
    ssr: 'relay/main.ts',
    outDir: OUT,
    // see scripts/build-relay.ts
    emptyOutDir: false,
    target: 'node24',
    sourcemap: true,
    rolldownOptions: {
      output: {
        entryFileNames: '[name].mjs',
        chunkFileNames: '[name]-[hash].mjs',
        // the sources lie beside
        sourcemapExcludeSources: true,
        // names are what a person reads in a stack, and what is told in errors
        minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      },
    },
  },
});
