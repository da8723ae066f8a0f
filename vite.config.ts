import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { leanLibp2p } from './scripts/lean-libp2p.ts';
import { webRtcInitChannel } from './scripts/webrtc-init-channel.ts';
import { manifest } from './src/app/sw/manifest.ts';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/**
 * The first script is tiny (see first.ts) and imports the app. Without these two hints the browser would find the app's
 * chunk one round trip late, and would paint one frame in the system's theme before the chosen one.
 */
const firstScript: Plugin = {
  name: 'first-script',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle }) {
      const main = Object.values(bundle ?? {}).find(
        (file) => file.type === 'chunk' && file.facadeModuleId?.endsWith('/src/app/main.ts'),
      );
      if (main?.type !== 'chunk') throw new Error('the chunk of src/app/main.ts is missing');
      return {
        html: html.replace('<script type="module"', '<script type="module" blocking="render"'),
        tags: [main.fileName, ...main.imports.filter((file) => !html.includes(file))].map((file) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
          injectTo: 'head' as const,
        })),
      };
    },
  },
};

export default defineConfig({
  publicDir: 'static',
  define: { 'import.meta.env.VITE_APP_VERSION': JSON.stringify(version) },
  plugins: [
    svelte(),
    firstScript,
    webRtcInitChannel,
    leanLibp2p,
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/app/sw',
      filename: 'sw.ts',
      registerType: 'prompt',
      // registered by src/app/sw/register.ts: an inline script would break the content security policy
      injectRegister: false,
      manifest,
      injectManifest: {
        // the manifest and its icons are added by the plugin
        globPatterns: ['assets/**/*.{js,css,woff2,wasm}', 'index.html'],
        // libp2p with Helia in one chunk, and search engines as WebAssembly
        maximumFileSizeToCacheInBytes: 6 * 1024 * 1024,
      },
    }),
  ],
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    // light-dark(), popover and top-level await: all current browsers since spring 2024
    target: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
    // inlined assets would need data: in the content security policy
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
});
