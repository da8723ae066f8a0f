import type { Fault } from '../tests/support/upstream-server.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/misbehaving.ts';

/** The CID of something that no room has. */
const NOWHERE = 'bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae';
/** Retries with their real back-offs of 1, 2 and 4 s, and more on a loaded machine. */
const FAILED_WITHIN_MS = 30_000;

test('what is wrong with a form is said beside the field, and nothing is sent', async ({ relay, device, upstream }) => {
  const { page } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  await shell.research();
  const query = page.getByRole('textbox', { name: 'Query' });
  const amount = page.getByRole('textbox', { name: 'At most' });
  const collect = page.getByRole('button', { name: 'Collect', exact: true });
  await collect.click();
  await expect(query).toBeFocused();
  await expect(query).toHaveAccessibleDescription(/Write what to look for/);
  await query.fill('sleep');
  await amount.fill('-1');
  await collect.click();
  await expect(amount).toBeFocused();
  await expect(amount).toHaveAccessibleDescription(/A whole number from 1 to 10,000/);
  expect(upstream.count()).toBe(0);
});

const FAULTS: readonly (readonly [string, Fault, string, RegExp])[] = [
  ['500', { kind: 'status', status: 500 }, 'upstream_error', /PubMed|eutils/],
  ['429', { kind: 'throttled', retryAfterSeconds: 120 }, 'upstream_throttled', /too many requests|slow/i],
  ['garbage', { kind: 'garbage' }, 'upstream_malformed', /not usable XML|cannot be read/],
  ['endless', { kind: 'endless' }, 'upstream_too_large', /eutils\.ncbi\.nlm\.nih\.gov is larger than/],
];

test('a service that fails is told to a person, and what came before is kept', async ({
  relay,
  device,
  upstream,
}, testInfo) => {
  test.setTimeout(180_000);
  const { page, expectProblem } = await device('A');
  expectProblem(/Failed to load resource/);
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const research = await shell.research();
  for (const [name, fault, code, says] of FAULTS) {
    await test.step(name, async () => {
      upstream.misbehave({ fault });
      const { article } = await research.start(`sleep ${name}`, 10);
      const alert = article.getByRole('alert');
      await expect(alert).toContainText(says, { timeout: FAILED_WITHIN_MS });
      await expect(alert.getByRole('button', { name: 'Try again' })).toBeVisible();
      expect(await alert.innerText()).not.toMatch(/\[object|undefined|127\.0\.0\.1|TypeError/);
      await alert.getByText('Details').click();
      await expect(alert).toContainText(code);
      await page.screenshot({ path: testInfo.outputPath(`${name}.png`), fullPage: true });
    });
  }

  await test.step('the same collection works when the service does', async () => {
    upstream.misbehave();
    const run = research.run('sleep garbage');
    await run.article.getByRole('button', { expanded: false }).click();
    await run.article.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('article', { name: 'sleep garbage' }).first()).toContainText('Done');
  });
});

test('a tool says the same in the app as it does to programs', async ({ relay, device }) => {
  const { page, expectProblem } = await device('A');
  expectProblem(/Failed to load resource/);
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const answer = await fetch(`${relay.line.rest}/get_dataset`, {
    method: 'POST',
    headers: { authorization: `Bearer ${relay.line.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ dataset: NOWHERE }),
  });
  const { error } = (await answer.json()) as { error: { code: string; message: string; hint: string } };
  const tool = await shell.tool('Read a dataset');
  await tool.argument('dataset').fill('nothing');
  await tool.run();
  await expect(tool.argument('dataset')).toHaveAccessibleDescription(/Not of the form that is expected: .*CID/);
  await tool.argument('dataset').fill(NOWHERE);
  await tool.run();
  const alert = page.getByRole('main').getByRole('alert').last();
  await expect(alert).toContainText(error.message);
  await expect(alert).toContainText(error.hint);
  await alert.getByText('Details').click();
  await expect(alert).toContainText(error.code);
});
