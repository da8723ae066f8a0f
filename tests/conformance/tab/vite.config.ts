import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { webRtcInitChannel } from '../../../scripts/webrtc-init-channel.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The page of the conformance harness: the product's tab peer over the fixtures. */
export default defineConfig({
  root: here,
  publicDir: false,
  logLevel: 'warn',
  define: { 'import.meta.env.VITE_APP_VERSION': JSON.stringify('0.0.0-conformance') },
  plugins: [webRtcInitChannel],
  build: {
    outDir: fileURLToPath(new URL('../../../.cache/conformance/tab', import.meta.url)),
    emptyOutDir: true,
    target: 'chrome123',
    // inlined assets would need data: in the content security policy
    assetsInlineLimit: 0,
    minify: false,
  },
  worker: { format: 'es' },
});
