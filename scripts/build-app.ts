import { writeFile } from 'node:fs/promises';
import { buildWhenStale, type Build } from './build-inputs.ts';
import { viteBuild } from './vite-build.ts';

const APP: Build = {
  name: 'the app',
  inputs: [
    'src',
    'workers',
    'static',
    'index.html',
    'vite.config.ts',
    'svelte.config.js',
    'tsconfig.json',
    'package.json',
    'package-lock.json',
    'scripts/build-app.ts',
    'scripts/lean-libp2p.ts',
    'scripts/webrtc-init-channel.ts',
    'scripts/licenses',
  ],
  stamp: 'dist/app.sha256',
};

/**
 * Builds the app into `dist/app`, with the licences of all that ships beside it. Call it from the project's folder.
 * @param options `force` builds even when nothing has changed since the last build
 * @returns 0, or the exit code of the build
 */
export function buildApp({ force }: { readonly force: boolean }): Promise<number> {
  return buildWhenStale(APP, force, async () => {
    // the manifest tells scripts/bundle-files.ts which file is which
    const code = await viteBuild(['--manifest']);
    if (code !== 0) return code;
    const [{ noticesOf }, { shippedPackages }] = await Promise.all([
      import('./licenses/notices.ts'),
      import('./licenses/packages.ts'),
    ]);
    await writeFile('dist/app/THIRD_PARTY_LICENSES.txt', noticesOf(await shippedPackages()));
    return 0;
  });
}
