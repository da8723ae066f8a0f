import { makeNextBuild, NEXT_VERSION, type Build } from './support/next-build.ts';
import { joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** What browsers say of a relay that is not there. */
const RELAY_GONE =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed/;

test('without network, relay and other tabs, the app opens and searches what it holds', async ({ relay, device }) => {
  const [a, b] = [await device('A'), await device('B')];
  a.expectProblem(RELAY_GONE);
  const here = await joinByInvite(a.page, relay.line.invite ?? '');
  await here.readyForOffline();
  const there = await joinByInvite(b.page, relay.line.invite ?? '');
  await (await there.mesh()).expectOthers(['relay direct', 'tab direct']);
  await (await here.research()).collect('sleep');
  await (await there.research()).collect('base editing');
  // A knows what B holds, but has no copy
  await expect((await here.data()).row('base editing')).toBeVisible();

  await b.context.close();
  await relay.stop();
  await a.page.close();
  await a.context.setOffline(true);

  const page = await a.context.newPage();
  const answer = await page.goto(`${relay.line.app}search?q=hippocampal`);
  expect(answer?.fromServiceWorker()).toBe(true);
  const shell = new Shell(page);
  await expect(shell.connection).toHaveAccessibleName('Connection: Offline');

  await test.step('its own shard answers, what is away is named', async () => {
    const search = await shell.search();
    await search.askUntil('hippocampal', /1 match from 1 of 2 devices/);
    await search.open(/^Hippocampal replay/);
    await expect(search.record).toContainText('supports lasting spatial memory.');
    await expect(search.answer).toContainText('base editing: held by');
  });
  await test.step('every view opens, also for the first time', async () => {
    for (const view of ['Research', 'Data', 'Tools', 'Mesh', 'Settings'] as const) await shell.go(view);
  });
});

test.describe('a new version of the app', () => {
  let next: Build;
  test.beforeAll(async () => {
    next = await makeNextBuild();
  });
  test.afterAll(async () => {
    await next.delete();
  });

  test('is offered, and taken only by the tab whose person asks for it', async ({ relay, device }) => {
    const { page: first, context, expectProblem } = await device('A');
    expectProblem(RELAY_GONE);
    // the old version's chunks are gone from the server; the app says so on the console, too
    expectProblem(/Failed to (?:load resource|fetch dynamically imported module)/);
    const here = await joinByInvite(first, relay.line.invite ?? '');
    await here.readyForOffline();
    await here.research();
    const query = first.getByRole('textbox', { name: 'Query' });
    await query.fill('half a query');
    const loadedAt = await first.evaluate(() => performance.timeOrigin);

    await relay.stop();
    await relay.restart(next.folder);
    // opening the app looks for a new version
    const second = await context.newPage();
    await second.goto(relay.line.app);
    const offers = [first, second].map((page) =>
      page.getByRole('region', { name: 'Notifications' }).filter({ hasText: 'A new version is ready.' }),
    );
    for (const offer of offers) await expect(offer).toBeVisible();
    await expect(query).toHaveValue('half a query');

    await test.step('the tab that asks reloads into the new version', async () => {
      await offers[1]?.getByRole('button', { name: 'Reload' }).click();
      const shell = new Shell(second);
      await expect(shell.connection).toHaveAccessibleName(/Direct|Alone/);
      await shell.go('Settings');
      await expect(second.getByRole('region', { name: 'About' })).toContainText(NEXT_VERSION);
    });

    await test.step('the other one goes on as it was', async () => {
      expect(await first.evaluate(() => performance.timeOrigin)).toBe(loadedAt);
      await expect(query).toHaveValue('half a query');
    });

    await test.step('and has all its views, those too that it had not opened', async () => {
      await here.go('Settings');
      await expect(first.getByRole('region', { name: 'About' })).toBeVisible();
      await expect(first.getByRole('region', { name: 'About' })).not.toContainText(NEXT_VERSION);
      expect(await first.evaluate(() => performance.timeOrigin)).toBe(loadedAt);
      await first.reload();
      await expect(first.getByRole('region', { name: 'About' })).toContainText(NEXT_VERSION);
    });
  });
});

test('a part of the app that is gone is told of, and a reload helps', async ({ relay, device }) => {
  // without a service worker, as in a private window: what was not loaded must come from the relay
  const { page, expectProblem } = await device('A', { serviceWorkers: 'block' });
  expectProblem(/Failed to (?:load resource|fetch dynamically imported module)|service worker/i);
  const gone = /\/assets\/Settings-.*\.js$/;
  await page.route(gone, (route) => route.fulfill({ status: 404 }));
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'A newer version is there' })).toBeVisible();
  // nothing else suffers
  await shell.go('Mesh');
  await shell.connection.waitFor();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await page.unroute(gone);
  await page.getByRole('main').getByRole('button', { name: 'Reload' }).click();
  await expect(page.getByRole('region', { name: 'About' })).toBeVisible();
});
