import { manyRecords } from '../tests/support/many-records.ts';
import { startUpstream } from '../tests/support/upstream-server.ts';
import { joinByInvite } from './support/pages.ts';
import { test as base } from './support/misbehaving.ts';
import { expect } from './support/test.ts';

const test = base.extend({
  upstream: async ({}, use) => {
    const upstream = await startUpstream({ routes: [manyRecords(5_000)] });
    await use(upstream);
    await upstream.close();
  },
});

// Chromium does not always apply the quota that DevTools sets: the collection then simply succeeds. The same is held at unit
// level (tests/unit/research/actions.test.ts) until the disk can be filled for certain.
test.fixme('a full disk in mid-collection is told, and what was stored before is intact', async ({
  relay,
  device,
}, testInfo) => {
  test.setTimeout(180_000);
  const { page, context } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const kept = await (await shell.research()).collect('set 1', 20);

  const { origin } = new URL(relay.line.app);
  const devtools = await context.newCDPSession(page);
  const { usage } = await devtools.send('Storage.getUsageAndQuota', { origin });
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: Math.ceil(usage) + 300_000 });

  const { article } = await (await shell.research()).start('set 2', 5_000);
  const alert = article.getByRole('alert');
  await expect(alert).toContainText(/no storage space left/i, { timeout: 120_000 });
  await expect(alert).toContainText(/Delete datasets you no longer need, or free space/);
  await alert.getByText('Details').click();
  await expect(alert).toContainText('quota_exceeded');
  await page.screenshot({ path: testInfo.outputPath('quota.png'), fullPage: true });

  await test.step('after a reload, with the disk still full', async () => {
    await page.reload();
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    const data = await shell.data();
    await expect(data.row('set 1')).toContainText('20');
    const search = await shell.search();
    await search.ask('9001019');
    await search.open(/9001019/);
    await expect(search.record.first()).toContainText('number 9001019');
    expect(kept).toMatch(/^bafy/);
  });
});
