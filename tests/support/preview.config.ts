import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Answers every page address with the preview's page, as the relay answers with the app's. */
const previewPage: Plugin = {
  name: 'preview-page',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      if (!(request.headers.accept ?? '').includes('text/html')) {
        next();
        return;
      }
      void readFile(`${root}tests/support/preview.html`, 'utf8')
        .then((html) => server.transformIndexHtml(request.url ?? '/', html))
        .then((html) => response.setHeader('content-type', 'text/html').end(html), next);
    });
  },
};

/** `npx vite --config tests/support/preview.config.ts`: the app over a fake room, for looking at it. */
export default defineConfig({
  root,
  appType: 'custom',
  define: { 'import.meta.env.VITE_APP_VERSION': JSON.stringify('0.0.0-preview') },
  publicDir: 'static',
  plugins: [svelte(), previewPage],
  server: { port: 5199, strictPort: true, watch: null, hmr: false },
  cacheDir: 'node_modules/.cache/vite-preview',
});
