import type { Locator, Page } from '@playwright/test';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** The list of devices in the Mesh view. */
function memberRow(page: Page, name: string): Locator {
  return page.getByRole('region', { name: 'Devices of this room' }).getByRole('listitem').filter({ hasText: name });
}

/** Chooses from a device's menu and confirms the question, which must say this. */
async function manage(page: Page, name: string, action: 'Block' | 'Unblock', says: RegExp): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: `${action} device…` }).click();
  const dialog = page.getByRole('dialog', { name: `${action} ${name}?` });
  await expect(dialog).toContainText(says);
  await dialog.getByRole('button', { name: `${action} device` }).click();
  await expect(dialog).toBeHidden();
}

test('an owner blocks a device and takes it back', async ({ relay, device }) => {
  test.setTimeout(120_000);
  const [a, b] = [await device('A'), await device('B')];
  // the wrong token's answer
  a.expectProblem(/status of 401/);
  const invite = relay.line.invite ?? '';
  const onA = await joinByInvite(a.page, invite);
  const onB = await joinByInvite(b.page, invite);
  const meshA = await onA.mesh();
  await meshA.expectOthers(['relay direct', 'tab direct']);
  const { name: nameOfB } = await (await onB.mesh()).self();
  const link = async (page: Page) => {
    await page.getByRole('button', { name: 'Invite…', exact: true }).click();
    const dialog = page.getByRole('dialog');
    const text = await dialog.getByRole('button', { name: /^Copy invite link / }).getAttribute('aria-label');
    await dialog.getByRole('button', { name: 'Done' }).click();
    return text;
  };
  const before = await link(a.page);

  await test.step("A becomes an owner with the relay's token, and with no other", async () => {
    await expect(memberRow(a.page, nameOfB)).toContainText('member');
    await expect(a.page.getByRole('button', { name: `Actions for ${nameOfB}` })).toHaveCount(0);
    await a.page.getByRole('button', { name: 'Become an owner…' }).click();
    const dialog = a.page.getByRole('dialog', { name: 'Become an owner' });
    const token = dialog.getByLabel('Owner token of the relay');
    const submit = dialog.getByRole('button', { name: 'Become an owner' });
    await token.fill('not-the-token');
    await submit.click();
    await expect(dialog.getByRole('alert')).toContainText('does not know this token');
    await token.fill(relay.line.token);
    await submit.click();
    await expect(dialog).toBeHidden();
    await expect(a.page.getByRole('button', { name: `Actions for ${nameOfB}` })).toBeVisible();
    const stored = await a.page.evaluate(() =>
      JSON.stringify([...Object.values(localStorage), ...Object.values(sessionStorage)]),
    );
    expect(stored).not.toContain(relay.line.token);
  });

  await test.step('A blocks B: B is told, A goes on with the relay', async () => {
    await manage(a.page, nameOfB, 'Block', /links are cut.*new secret.*fetched stays/s);
    await expect(memberRow(a.page, nameOfB)).toContainText('blocked');
    await expect(onB.connection).toHaveAccessibleName('Connection: Put out', { timeout: 30_000 });
    await expect(b.page.getByRole('alert')).toContainText('This device was put out of the room');
    await meshA.expectOthers(['relay direct']);
    await expect(onA.connection).toHaveAccessibleName('Connection: Direct');
    expect(await link(a.page)).not.toBe(before);
    const tool = await onA.tool('Echo');
    await tool.argument('text').fill('still here');
    await tool.run();
    await expect(tool.answer).toContainText('still here');
  });

  await test.step('A unblocks B: B is back without a reload', async () => {
    await onA.go('Mesh');
    await manage(a.page, nameOfB, 'Unblock', /comes back by itself/);
    await expect(onB.connection).toHaveAccessibleName('Connection: Direct', { timeout: 40_000 });
    await expect(b.page.getByText('This device was put out of the room')).toHaveCount(0);
    await meshA.expectOthers(['relay direct', 'tab direct']);
    await expect(memberRow(a.page, nameOfB)).toContainText('member');
  });
});
