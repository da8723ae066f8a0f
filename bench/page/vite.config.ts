import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { webRtcInitChannel } from '../../scripts/webrtc-init-channel.ts';

const OBSERVED = join(import.meta.dirname, 'observed-node.ts');

/** Lets the bench see the node that the product starts, without a back door in the product. */
const observeNode: Plugin = {
  name: 'observe-node',
  enforce: 'pre',
  resolveId: (id, importer) => (id.endsWith('/room-node.browser.ts') && importer !== OBSERVED ? OBSERVED : null),
};

/** Builds the bench's page: the product's app with handles. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  define: { 'import.meta.env.VITE_APP_VERSION': JSON.stringify('bench') },
  plugins: [
    observeNode,
    webRtcInitChannel,
    svelte({ configFile: join(import.meta.dirname, '../../svelte.config.js') }),
  ],
  build: {
    outDir: '../out/page',
    emptyOutDir: true,
    target: ['chrome123'],
    // names in CPU profiles
    minify: process.env['BENCH_PROFILE'] === undefined,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 5000,
  },
  worker: { format: 'es' },
});
