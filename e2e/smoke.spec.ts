import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleFiles } from '../scripts/bundle-files.ts';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

test('the app opens, without a complaint of the browser', async ({ relay, device }, testInfo) => {
  const { page } = await device('A');
  const answer = await page.goto(relay.line.app);
  expect(answer?.headers()['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval'");
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expectAccessible(page, 'first visit', testInfo);
});

test('the relay stops at Ctrl-C, and comes back as the same peer and room', async ({ relay }) => {
  const { peerId, room, app } = relay.line;
  await relay.stop();
  await relay.restart();
  expect(relay.line).toMatchObject({ peerId, room, app });
});

test('a page that opens its room has loaded no more scripts than the size limit measures', async ({
  relay,
  device,
}) => {
  const { page } = await device('A');
  if (relay.line.invite === null) throw new Error('a relay without a room');
  await joinByInvite(page, relay.line.invite);

  const loaded = new Set<string>();
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    // a worker's scripts are requests of the page, too, and have a limit of their own
    if (pathname.endsWith('.js') && response.request().resourceType() === 'script') loaded.add(pathname.slice(1));
  });
  await page.goto(new URL('/mesh', relay.line.app).href);
  await expect(new Shell(page).connection).toHaveAccessibleName(/Direct|Relayed/);
  const { joined, page: all } = bundleFiles('dist/app');
  const ours = all.filter((file) => loaded.has(relative('dist/app', file)));
  expect(ours.length).toBeGreaterThan(5);
  const more = ours.filter((file) => !joined.includes(file));
  expect(gzipped(ours), `not measured: ${more.join(' ')}`).toBeLessThanOrEqual(gzipped(joined));
});

const gzipped = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).byteLength, 0);
