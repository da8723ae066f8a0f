import type { Page } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { connectMcp } from './support/mcp.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** The text of a button that copies it. */
async function copied(within: ReturnType<Page['getByRole']>, label: string): Promise<string> {
  const button = within.getByRole('button', { name: new RegExp(`^Copy ${label} `) });
  return ((await button.getAttribute('aria-label')) ?? '').slice(`Copy ${label} `.length);
}

test('a member scopes a token, sees it used, and revokes it; a grant spares the question; the owner sees all of it', async ({
  relay,
  device,
}, testInfo) => {
  const { page, expectProblem } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const mesh = await shell.mesh();
  await mesh.expectOthers(['relay direct']);
  const { peer } = await mesh.ownIds();
  await shell.go('Settings');

  const token = await test.step('makes a token for two tools', async () => {
    await page.getByRole('button', { name: 'Create a token' }).click();
    const dialog = page.getByRole('dialog', { name: 'Connect an AI client' });
    await dialog.getByRole('textbox', { name: 'What is it for?' }).fill('Two tools');
    await dialog.getByRole('switch', { name: 'Only certain tools' }).click();
    await dialog.getByRole('button', { name: 'Create the token' }).click();
    // the field says what is missing, and nothing was asked of the relay
    await expect(dialog.getByText('Choose at least one tool')).toBeVisible();
    await dialog.getByRole('checkbox', { name: 'echo', exact: true }).check();
    await dialog.getByRole('checkbox', { name: 'Write', exact: true }).check();
    await dialog.getByRole('checkbox', { name: 'delete_dataset', exact: true }).check();
    await dialog.getByRole('textbox', { name: 'Calls a minute' }).fill('30');
    await expectAccessible(page, 'new token', testInfo);
    await dialog.getByRole('button', { name: 'Create the token' }).click();
    const made = await copied(dialog, 'token');
    await dialog.getByRole('button', { name: 'Done' }).click();
    return made;
  });

  const row = page.getByRole('list', { name: /^Tokens of this device at / }).getByRole('listitem');
  await test.step('it may call those tools, and nothing else', async () => {
    await expect(row).toContainText('Read, compute, write · delete_dataset, echo · 30 calls a minute');
    await expect(row).toContainText('not used lately');
    const client = await connectMcp(relay.line.mcp, token);
    expect(await client.tools()).toEqual(['delete_dataset', 'echo']);
    expect(await client.call('echo', { text: 'hello' })).toMatchObject({ data: { text: 'hello' } });
    await client.close();
  });

  await test.step('a grant lets it delete once, and says so in words', async () => {
    await page.getByRole('button', { name: 'Grant calls…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Grant calls to this device' });
    await dialog.getByRole('button', { name: 'Issue the grant' }).click();
    await expect(dialog.getByText('Choose who may use it.')).toBeVisible();
    const who = dialog.getByRole('combobox', { name: 'Who may use it' });
    const option = who.getByRole('option', { name: /^Two tools \(token at / });
    await who.selectOption((await option.getAttribute('value')) ?? '');
    await dialog.getByRole('checkbox', { name: 'delete_dataset' }).check();
    await expect(dialog).toContainText(/may call delete_dataset on this device, once, until/);
    await dialog.getByRole('button', { name: 'Issue the grant' }).click();
    const text = await dialog.getByRole('region', { name: 'Grant' }).innerText();
    await dialog.getByRole('button', { name: 'Done' }).click();
    const answer = await fetch(`${relay.line.rest}/delete_dataset?place=${peer}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'tabmesh-grants': text.trim() },
      body: JSON.stringify({ dataset: `bafyrei${'d'.repeat(52)}` }),
    });
    // the tool's own answer: it ran, and nobody was asked
    expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } });
  });

  const grant = page.getByRole('list', { name: 'Grants of this device' }).getByRole('listitem');
  await test.step('revokes the grant, then the token', async () => {
    // read anew every ten seconds
    await expect(grant).toContainText('1 of 1 call used', { timeout: 15_000 });
    await expect(grant).toContainText('Used up');
    await grant.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('button', { name: 'Revoke the grant' }).click();
    await expect(grant).toContainText('Revoked');
    await expectAccessible(page, 'settings with a token and a grant', testInfo);
    await row.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('button', { name: 'Revoke the token' }).click();
    await expect(row).toBeHidden();
    await expect(connectMcp(relay.line.mcp, token)).rejects.toMatchObject({ code: 401 });
  });

  await test.step('the owner of the relay sees it all in the audit log, and that the log is whole', async () => {
    await page.getByRole('link', { name: 'Relay administration' }).click();
    const field = page.getByRole('textbox', { name: 'Owner token' });
    expectProblem(/401/);
    await field.fill(token);
    await page.getByRole('button', { name: 'Administer the relay' }).click();
    await expect(page.getByText('This relay does not know the token')).toBeVisible();
    await field.fill(relay.line.token);
    await page.getByRole('button', { name: 'Administer the relay' }).click();
    await expect(page.getByText('No tokens yet')).toBeVisible();

    await page.getByRole('radio', { name: 'Audit log' }).check();
    const log = page.getByRole('region', { name: 'Audit log' });
    await expect(log.getByRole('row', { name: /Call Two tools echo/ })).toBeVisible();
    await expect(log.getByRole('row', { name: /Token revoked/ })).toBeVisible();
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await expect(page.getByRole('main').getByText(/The chain is whole: \d+ entries/)).toBeVisible();
    await expectAccessible(page, 'audit log', testInfo);
    await page.getByRole('textbox', { name: 'Tool' }).fill('echo');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await expect(log.getByRole('row', { name: /Token revoked/ })).toBeHidden();
    await expect(log.getByRole('row', { name: /Call Two tools echo/ })).toBeVisible();

    await page.getByRole('radio', { name: 'Tool definitions' }).check();
    await expect(page.getByText('Nothing has changed')).toBeVisible();
    await page.reload();
    // the token is nowhere but in the page that was left
    await expect(page.getByRole('textbox', { name: 'Owner token' })).toHaveValue('');
  });
});

test('a device that was given a grant calls with it, and the person there is not asked', async ({ relay, device }) => {
  const [giver, holder] = [await device('giver'), await device('holder')];
  const there = await joinByInvite(giver.page, relay.line.invite ?? '');
  const here = await joinByInvite(holder.page, relay.line.invite ?? '');
  const mesh = await there.mesh();
  await mesh.expectOthers(['relay direct', 'tab direct']);
  const { name } = await mesh.self();
  const { name: holderName } = await (await here.mesh()).self();

  await there.go('Settings');
  await giver.page.getByRole('button', { name: 'Grant calls…' }).click();
  const dialog = giver.page.getByRole('dialog', { name: 'Grant calls to this device' });
  await dialog.getByRole('combobox', { name: 'Who may use it' }).selectOption({ label: holderName });
  await dialog.getByRole('checkbox', { name: 'delete_dataset' }).check();
  await dialog.getByRole('button', { name: 'Issue the grant' }).click();
  const text = await dialog.getByRole('region', { name: 'Grant' }).innerText();
  await dialog.getByRole('button', { name: 'Done' }).click();

  await here.go('Settings');
  const given = holder.page.getByRole('textbox', { name: 'A grant that you were given' });
  await given.fill(text.slice(0, -8));
  await holder.page.getByRole('button', { name: 'Keep the grant' }).click();
  await expect(holder.page.getByText(/This is not a grant/)).toBeVisible();
  await given.fill(text);
  await holder.page.getByRole('button', { name: 'Keep the grant' }).click();
  await expect(holder.page.getByRole('list', { name: 'Grants given to this device' })).toContainText(
    `This device may call delete_dataset on ${name}`,
  );

  const tool = await here.tool('Delete a dataset');
  await tool.argument('dataset').fill(`bafyrei${'d'.repeat(52)}`);
  await tool.at(name);
  await tool.run();
  await holder.page.getByRole('dialog').getByRole('button', { name: 'Run it' }).click();
  // the tool's own answer, from there
  await expect(holder.page.getByRole('main')).toContainText('this device keeps no copy of that dataset');
  await expect(giver.page.getByRole('list', { name: 'Grants of this device' })).toContainText('Used up', {
    timeout: 15_000,
  });
});
