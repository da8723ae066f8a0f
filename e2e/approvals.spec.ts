import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

const THEMES = ['light', 'dark'] as const;

/** Has another device delete a dataset at this place, by the form in its app. */
async function askToDelete(shell: Shell, data: string, place: string): Promise<void> {
  const tool = await shell.tool('Delete a dataset');
  await tool.argument('dataset').fill(data);
  await tool.at(place);
  await tool.run();
  await shell.page.getByRole('dialog').getByRole('button', { name: 'Run it' }).click();
}

async function openCalls(shell: Shell): Promise<void> {
  await shell.go('Tools');
  await shell.page.getByRole('link', { name: 'Calls', exact: true }).click();
  await expect(shell.page.getByRole('heading', { level: 1, name: 'Calls' })).toBeFocused();
}

/** Opens the newest call when so many were refused. @returns its details */
async function newestCall(page: Page, refused: number): Promise<Locator> {
  const rows = page
    .getByRole('region', { name: 'Calls, newest first' })
    .getByRole('button', { name: 'delete_dataset' });
  await expect(rows.filter({ hasText: 'forbidden' })).toHaveCount(refused);
  await rows.first().click();
  return page.getByRole('region', { name: 'Call', exact: true });
}

/** How the call ended there. */
const outcome = (page: Page) => page.getByRole('main').getByRole('alert');

test('what somebody else wants to delete here is asked: no, once, always, and taken back', async ({
  relay,
  device,
}, testInfo) => {
  test.setTimeout(120_000);
  const [a, b] = [await device('A'), await device('B')];
  const here = await joinByInvite(a.page, relay.line.invite ?? '');
  const there = await joinByInvite(b.page, relay.line.invite ?? '');
  const mesh = await there.mesh();
  await mesh.expectOthers(['relay direct', 'tab direct']);
  const research = await here.research();
  const data = await research.collect('sleep', 5);
  const [first, second, third] = [
    await research.collect('gut', 5),
    await research.collect('base editing', 5),
    await research.collect('insomnia', 5),
  ];
  const { name: place } = await (await here.mesh()).self();
  const request = a.page.getByRole('article', { name: /asks to run Delete a dataset on this device$/ });
  const answer = (name: RegExp) => request.getByRole('button', { name });

  await openCalls(there);
  await openCalls(here);
  const filter = a.page.getByRole('searchbox', { name: 'Filter calls' });
  await filter.fill('delete');

  await test.step('it is shown without taking the focus, says what would be lost, and can be reached by keyboard', async () => {
    await askToDelete(there, data, place);
    await expect(request).toContainText('“sleep”: 5 records');
    await expect(request).toContainText('this device has the only copy');
    await expect(filter).toBeFocused();
    await a.page.getByRole('button', { name: '1 call waits for your answer' }).focus();
    await a.page.keyboard.press('Enter');
    await expect(request).toBeHidden();
    await a.page.keyboard.press('Enter');
    await expect(a.page.getByRole('heading', { name: '1 call waits for your answer' })).toBeFocused();
    for (const colorScheme of THEMES) {
      await a.page.emulateMedia({ colorScheme });
      await expectAccessible(a.page, `a request, ${colorScheme}`, testInfo);
    }
  });

  await test.step('no: nothing is deleted, and there is no more question', async () => {
    await answer(/^No$/).click();
    await expect(outcome(b.page)).toContainText('does not want delete_dataset to be called');
    await askToDelete(there, data, place);
    await expect(outcome(b.page)).toContainText('does not want delete_dataset to be called');
    await expect(request).toBeHidden();
  });

  await test.step('both ends list the call, under one trace id', async () => {
    const served = await newestCall(a.page, 2);
    await expect(served).toContainText('Served here for');
    const trace = served.getByRole('button', { name: /^Copy trace id [0-9a-f]{32}$/ });
    const label = (await trace.getAttribute('aria-label')) ?? '';
    await expectAccessible(a.page, 'calls', testInfo);

    await openCalls(there);
    const made = await newestCall(b.page, 2);
    await expect(made.getByRole('region', { name: 'Hops' })).toContainText('forbidden');
    await expect(made.getByRole('region', { name: 'Why it ran there' })).toContainText('the call asks for it');
    await expect(made.getByRole('button', { name: label })).toBeVisible();
  });

  await test.step('revoked in the settings, the next call asks again: once', async () => {
    await here.go('Settings');
    const settings = a.page.getByRole('region', { name: 'What others may do here' });
    await expect(settings).toContainText('Refused');
    await expectAccessible(a.page, 'settings with an answer that stands', testInfo);
    await settings.getByRole('button', { name: /^Revoke: .*Delete a dataset$/ }).click();
    await expect(settings).toContainText('None.');
    await askToDelete(there, data, place);
    await answer(/^Allow once$/).click();
    await expect(b.page.getByRole('region', { name: 'Answer', exact: true })).toContainText(data);
    await expect((await here.data()).row('sleep')).toBeHidden();
  });

  await test.step('always: the call after that is not asked', async () => {
    const answered = b.page.getByRole('region', { name: 'Answer', exact: true });
    await askToDelete(there, first, place);
    await answer(/^Always allow .* to use Delete a dataset$/).click();
    await expect(answered).toContainText(first);
    await askToDelete(there, second, place);
    await expect(answered).toContainText(second);
    await expect(request).toBeHidden();
    await a.page.getByRole('button', { name: 'Undo' }).click();
    // nobody is asked about what is gone
    await askToDelete(there, data, place);
    await expect(outcome(b.page)).toContainText('not_found');
    await expect(request).toBeHidden();
    await askToDelete(there, third, place);
    await expect(request).toBeVisible();
  });
});
