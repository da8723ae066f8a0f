import { expectAccessible } from './support/accessibility.ts';
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
