import { joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** A word of one record of the demo's sleep papers, and one of its base editing papers. */
const SLEEP = { query: 'sleep', word: 'hippocampal', title: /^Hippocampal replay/ };
const EDITING = { query: 'base editing', word: 'macaques', title: /^Lowering LDL/ };

test('devices come, go and come back as who they are', async ({ relay, device }) => {
  test.setTimeout(120_000);
  const [a, b] = [await device('A'), await device('B')];
  const invite = relay.line.invite ?? '';
  const onA = await joinByInvite(a.page, invite);
  const onB = await joinByInvite(b.page, invite);
  const meshA = await onA.mesh();
  await meshA.expectOthers(['relay direct', 'tab direct']);
  const [idsOfA, { name: nameOfA }] = [await meshA.ownIds(), await meshA.self()];
  await (await onA.research()).collect(SLEEP.query);
  await (await onB.research()).collect(EDITING.query);
  const meshB = await onB.mesh();
  const idsOfB = await meshB.ownIds();
  // B has heard of what A holds before A goes
  await expect((await onB.data()).row(SLEEP.query)).toBeVisible();

  await test.step('A closes; B reloads and is the same peer', async () => {
    await a.page.close();
    await b.page.reload();
    const mesh = await onB.mesh();
    expect(await mesh.ownIds()).toEqual(idsOfB);
    await mesh.expectOthers(['relay direct']);
  });

  const c = await device('C');
  const onC = await joinByInvite(c.page, invite);
  await test.step("C opens: A's shard is named as missing, the rest answers", async () => {
    await (await onC.mesh()).expectOthers(['relay direct', 'tab direct']);
    const search = await onC.search();
    await search.askUntil(EDITING.word, /from 1 of 2 devices/);
    await expect(search.hit(EDITING.title)).toBeVisible();
    await expect(search.answer).toContainText('1 dataset of this room could not be searched');
    await expect(search.answer).toContainText(`${SLEEP.query}: held by ${nameOfA}`);
    await expect(search.answer).toContainText('away');
    await search.ask(SLEEP.word);
    await expect(search.hits()).toHaveCount(0);
    await expect(search.answer).toContainText(`${SLEEP.query}: held by ${nameOfA}`);
    await expect((await onC.data()).row(SLEEP.query)).toContainText('away');
  });

  await test.step('A comes back as the same device and peer; nothing is missing any more', async () => {
    const page = await a.context.newPage();
    await page.goto(relay.line.app);
    const again = new Shell(page);
    const mesh = await again.mesh();
    expect(await mesh.ownIds()).toEqual(idsOfA);
    await mesh.expectOthers(['relay direct', 'tab direct', 'tab direct']);
    const search = await onC.search();
    await search.askUntil(SLEEP.word, /1 match from 2 devices/);
    await expect(search.hit(SLEEP.title)).toBeVisible();
    await expect(search.answer).not.toContainText('could not be searched');
  });
});

test('tabs of one device are peers of their own over the same data', { tag: '@long' }, async ({ relay, device }) => {
  test.setTimeout(120_000);
  const [a, b] = [await device('A'), await device('B')];
  const invite = relay.line.invite ?? '';
  const first = await joinByInvite(a.page, invite);
  const idsOfFirst = await (await first.mesh()).ownIds();
  await (await first.research()).collect(SLEEP.query);

  const secondPage = await a.context.newPage();
  const second = new Shell(secondPage);
  await test.step('a second tab is another peer of the same device', async () => {
    await secondPage.goto(relay.line.app);
    const ids = await (await second.mesh()).ownIds();
    expect(ids.device).toBe(idsOfFirst.device);
    expect(ids.peer).not.toBe(idsOfFirst.peer);
  });
  await test.step('and finds what the first one collected, without a fetch', async () => {
    const search = await second.search();
    await search.askUntil(SLEEP.word, /1 match from 1 device/);
    await search.open(SLEEP.title);
    await expect((await second.data()).row(SLEEP.query)).toContainText('(you)');
  });
  await test.step('what the second collects, the first finds', async () => {
    await (await second.research()).collect(EDITING.query);
    const search = await first.search();
    await search.askUntil(EDITING.word, /1 match from 1 device/);
  });

  await test.step('a duplicated tab, which remembers the same slot, is a third peer', async () => {
    const opened = a.context.waitForEvent('page');
    // a copy of the session storage comes with it, as with "Duplicate tab"
    await a.page.evaluate(() => window.open('/mesh'));
    const page = await opened;
    expect(await page.evaluate(() => sessionStorage.length)).toBeGreaterThan(0);
    const copy = await new Shell(page).mesh();
    const ids = await copy.ownIds();
    expect(ids.device).toBe(idsOfFirst.device);
    expect(ids.peer).not.toBe(idsOfFirst.peer);
    await page.reload();
    expect(await (await new Shell(page).mesh()).ownIds()).toEqual(ids);
    await page.close();
  });

  const other = await joinByInvite(b.page, invite);
  await test.step('another device asks either tab: the data is the device’s', async () => {
    await (await other.mesh()).expectOthers(['relay direct', 'tab direct', 'tab direct']);
    const search = await other.search();
    await search.askUntil(SLEEP.word, /1 match from 1 device/);
    await a.page.close();
    await (await other.mesh()).expectOthers(['relay direct', 'tab direct']);
    for (const { word, title } of [SLEEP, EDITING]) {
      const again = await other.search();
      await again.askUntil(word, /1 match from 1 device/);
      await expect(again.hit(title)).toBeVisible();
      await again.open(title);
      await again.record
        .getByRole('button', { name: /^Close/ })
        .or(b.page.getByRole('button', { name: /^Close/ }))
        .first()
        .click();
    }
  });
});
