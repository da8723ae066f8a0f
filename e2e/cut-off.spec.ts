import type { Page } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

async function rename(page: Page, name: string): Promise<void> {
  await new Shell(page).go('Settings');
  const section = page.getByRole('region', { name: 'Your name' });
  await section.getByRole('textbox', { name: 'Name' }).fill(name);
  await section.getByRole('button', { name: 'Save' }).click();
  await expect(section.getByRole('button', { name: 'Save' })).toBeDisabled();
}

test(
  'a device whose data was copied is told that it is cut off, and starts anew with its datasets',
  { tag: '@long' },
  async ({ relay, device }, testInfo) => {
    test.setTimeout(120_000);
    const banner = (page: Page) => page.getByRole('alert').filter({ hasText: 'takes nothing new from this device' });
    const original = await device('original');
    original.expectProblem(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource|Failed to fetch/);
    const shell = await joinByInvite(original.page, relay.line.invite ?? '');
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    await (await shell.research()).collect('sleep', 10);
    const { device: oldDevice } = await (await shell.mesh()).ownIds();

    const state = await original.context.storageState({ indexedDB: true });
    await relay.stop();
    await expect(shell.connection).toHaveAccessibleName('Connection: Offline');
    await rename(original.page, 'The original');
    await original.page.close();

    await relay.restart();
    const copy = await device('copy', { storageState: state });
    await copy.page.goto(relay.line.app);
    const onCopy = new Shell(copy.page);
    await expect(onCopy.connection).toHaveAccessibleName('Connection: Direct');
    await expect(banner(copy.page)).toBeHidden();
    await rename(copy.page, 'The copy');

    const page = await original.context.newPage();
    await page.goto(relay.line.app);
    const back = new Shell(page);
    await expect(banner(page)).toBeVisible({ timeout: 20_000 });
    await expect(banner(copy.page)).toBeVisible({ timeout: 20_000 });
    await back.go('Mesh');
    const members = page.getByRole('region', { name: 'Devices of this room' });
    await expect(members.getByText('cut off')).toHaveCount(1);
    await expectAccessible(page, 'mesh, cut off', testInfo);

    await banner(page).getByRole('button', { name: 'Start anew in this room…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Start anew in this room?' });
    await expect(dialog).toContainText('Runs and their history are deleted');
    await dialog.getByRole('button', { name: 'Start anew' }).click();
    await expect(back.connection).toHaveAccessibleName('Connection: Direct', { timeout: 30_000 });
    await expect(banner(page)).toBeHidden();
    const { device: newDevice } = await (await back.mesh()).ownIds();
    expect(newDevice).not.toBe(oldDevice);
    // what the two copies had in common, and this device again
    await expect((await back.data()).row('sleep')).toContainText('held by 2 devices');
    const search = await back.search();
    await search.askUntil('memory', /match(?:es)? from/);

    // and it stays so
    await page.reload();
    await expect(back.connection).toHaveAccessibleName('Connection: Direct', { timeout: 20_000 });
    expect((await (await back.mesh()).ownIds()).device).toBe(newDevice);
    await expect(banner(page)).toBeHidden();
  },
);
