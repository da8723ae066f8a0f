import { manyRecords } from '../tests/support/many-records.ts';
import { startHeldUpstream, type HeldUpstream } from './support/held-upstream.ts';
import { joinByInvite } from './support/pages.ts';
import { limitStorage } from './support/storage-limit.ts';
import { expect, test as base } from './support/test.ts';

/** Ten batches, as the app fetches them. */
const MANY = 2_000;
/** A batch takes about a second, and longer on a loaded machine. */
const LOADED_MS = 30_000;

const test = base.extend<{ readonly upstream: HeldUpstream }>({
  upstream: async ({}, use) => {
    const upstream = await startHeldUpstream(manyRecords(MANY));
    await use(upstream);
    upstream.release();
    await upstream.close();
  },
  relayArgs: async ({ upstream }, use) => {
    await use(['--upstream', `pubmed=${upstream.url}`]);
  },
});

test(
  'a full disk in mid-collection is told, and what was stored before is intact',
  { tag: '@long' },
  async ({ relay, device, upstream }, testInfo) => {
    test.setTimeout(120_000);
    const { page } = await device('A');
    const disk = await limitStorage(page, new URL(relay.line.app).origin);
    const shell = await joinByInvite(page, relay.line.invite ?? '');
    await shell.readyForOffline();
    await (await shell.research()).collect('set 1', 20);

    const { article } = await test.step('the disk fills up while the second collection is under way', async () => {
      upstream.hold(1);
      const run = await (await shell.research()).start('set 2', MANY);
      await expect(run.steps.nth(1)).toContainText(/Fetched [1-9]/, { timeout: LOADED_MS });
      await expect(run.steps.nth(1)).toHaveText(/Fetch records: Running/);
      await disk.useUp();
      upstream.release();
      return run;
    });

    await test.step('the app says what happened, and what to do', async () => {
      const alert = article.getByRole('alert');
      await expect(alert).toContainText(/no storage space left/i, { timeout: LOADED_MS });
      await expect(alert).toContainText(/Delete datasets you no longer need, or free space/);
      await alert.getByText('Details').click();
      await expect(alert).toContainText('quota_exceeded');
      await page.screenshot({ path: testInfo.outputPath('quota.png'), fullPage: true });
    });

    await test.step('after a reload, with the disk still full', async () => {
      await page.reload();
      await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
      const data = await shell.data();
      await expect(data.row('set 1')).toContainText('20');
      const search = await shell.search();
      await search.ask('9001019');
      await search.open(/9001019/);
      await expect(search.record).toContainText('number 9001019');
    });
  },
);
