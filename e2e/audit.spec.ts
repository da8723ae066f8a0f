import type { Page } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

const THEMES = ['light', 'dark'] as const;

/** Changes the first entry of the log where the browser keeps it, past the app. */
async function tamper(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
    const name = names.find((each) => /^tabmesh\/room\/[^/]+$/.test(each)) ?? '';
    const opening = indexedDB.open(name);
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const transaction = opening.result.transaction('kv', 'readwrite');
    const kv = transaction.objectStore('kv');
    const cursor = kv.openCursor(IDBKeyRange.lowerBound('audit/lines/'));
    cursor.onsuccess = () => {
      const found = cursor.result;
      if (found !== null) kv.put(String(found.value).replace('"echo"', '"ecHo"'), found.key);
    };
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    opening.result.close();
  });
}

test('a device keeps a log of what others call here: through a reload, beside the relay’s, and tells when it was changed', async ({
  relay,
  device,
}, testInfo) => {
  const { page } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const mesh = await shell.mesh();
  await mesh.expectOthers(['relay direct']);
  const { peer } = await mesh.ownIds();
  const call = async (tool: string, args: object) => {
    const answer = await fetch(`${relay.line.rest}/${tool}?place=${peer}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${relay.line.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    return answer.status;
  };
  const log = page.getByRole('region', { name: 'Audit log of this device' });
  const rows = log.getByRole('row', { name: /Served owner echo/ });

  await test.step('shows the calls of a client of the relay', async () => {
    for (let n = 0; n < 3; n++) expect(await call('echo', { text: `hello ${String(n)}` })).toBe(200);
    await shell.go('Settings');
    await page.getByRole('main').getByRole('link', { name: 'Audit log' }).click();
    await expect(rows).toHaveCount(3);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page, `audit log, ${colorScheme}`, testInfo);
    }
    await rows
      .first()
      .getByRole('button', { name: /^Details of entry/ })
      .click();
    await expect(log.getByText('keyed hash')).toBeVisible();
    await expect(log).not.toContainText('hello');
    await expectAccessible(page, 'audit log, an entry', testInfo);
  });

  await test.step('has what came right before its page was left', async () => {
    await Promise.all([call('echo', { text: 'a' }), call('echo', { text: 'b' })]);
    await page.goto(new URL('/settings/audit', page.url()).href);
    await expect(rows).toHaveCount(5);
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await expect(log.getByText(/The chain is whole: 5 entries/)).toBeVisible();
  });

  await test.step('stands beside the relay’s own', async () => {
    await page.getByRole('radio', { name: 'Relay of this page' }).check();
    await page.getByRole('textbox', { name: 'Owner token' }).fill(relay.line.token);
    await page.getByRole('button', { name: 'Administer the relay' }).click();
    const theirs = page.getByRole('region', { name: 'Audit log of the relay' });
    await expect(theirs.getByRole('row', { name: /Call owner echo/ })).toHaveCount(5);
    await expect(theirs.getByRole('row', { name: /Relay started/ })).toBeVisible();
    await page.getByRole('radio', { name: 'This device' }).check();
    await expect(rows).toHaveCount(5);
  });

  await test.step('tells that somebody has changed it', async () => {
    await tamper(page);
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await expect(log.getByText(/The chain is broken in segment 1, line 1/)).toBeVisible();
    await expectAccessible(page, 'audit log, broken', testInfo);
  });
});
