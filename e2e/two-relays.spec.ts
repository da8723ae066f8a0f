import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** A word of one record of the demo's sleep papers. */
const SLEEP = { query: 'sleep', word: 'hippocampal', title: /^Hippocampal replay/ };
/** What browsers say about sockets to a relay that is not there. */
const RELAY_GONE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to .* failed/;
/** The longest pause between two tries of a tab to reach its relay is 15 s. */
const RECONNECTED_MS = 40_000;

test(
  'of two relays either one may die, and is used again when it is back',
  { tag: '@long' },
  async ({ relay, anotherRelay, device }) => {
    test.setTimeout(150_000);
    const second = await anotherRelay(['--demo', '--room', relay.line.invite ?? '']);
    const [a, b] = [await device('A'), await device('B')];
    for (const { expectProblem } of [a, b]) expectProblem(RELAY_GONE);
    // the first one's invite is of before there was another: who opens it learns of that from the room
    const here = await joinByInvite(a.page, relay.line.invite ?? '');
    const there = await joinByInvite(b.page, second.line.invite ?? '');
    const [meshOfA, meshOfB] = [await here.mesh(), await there.mesh()];
    for (const mesh of [meshOfA, meshOfB]) {
      await expect.poll(async () => (await mesh.peers()).filter(({ link }) => link === 'direct').length).toBe(3);
    }
    await here.readyForOffline();
    // each fetches through the relay of its own page: the other one's serves no other origin
    for (const shell of [here, there]) await (await shell.research()).collect(SLEEP.query, 3);
    for (const shell of [here, there]) await shell.mesh();

    await test.step('the first one dies: the tabs stay together, a newcomer at the other one finds both', async () => {
      await relay.kill();
      const c = await device('C');
      c.expectProblem(RELAY_GONE);
      const newcomer = await joinByInvite(c.page, second.line.invite ?? '');
      await (await newcomer.mesh()).expectOthers(['relay direct', 'tab direct', 'tab direct'], RECONNECTED_MS);
      const tool = await newcomer.tool('Echo');
      const tabs = (await tool.places()).filter((place) => !/\((?:this tab|relay)\)$/.test(place));
      expect(tabs).toHaveLength(2);
      for (const place of tabs) {
        await tool.at(place);
        await tool.argument('Text').fill(place);
        await tool.run();
        await expect(tool.answer.getByText(place, { exact: true })).toBeVisible();
      }
      await c.context.close();
    });

    await test.step('it is back, and the other one dies: the same', async () => {
      await relay.restart();
      await meshOfB.expectOthers(['relay direct', 'relay direct', 'tab direct'], RECONNECTED_MS);
      await second.kill();
      const d = await device('D');
      d.expectProblem(RELAY_GONE);
      const newcomer = await joinByInvite(d.page, relay.line.invite ?? '');
      await (await newcomer.mesh()).expectOthers(['relay direct', 'tab direct', 'tab direct'], RECONNECTED_MS);
    });
  },
);

test(
  'a new invite moves a room to another relay, and its tabs keep their data',
  { tag: '@long' },
  async ({ relay, anotherRelay, device }) => {
    test.setTimeout(120_000);
    const [a, b] = [await device('A'), await device('B')];
    for (const { expectProblem } of [a, b]) expectProblem(RELAY_GONE);
    const shells = [];
    for (const { page } of [a, b]) shells.push(await joinByInvite(page, relay.line.invite ?? ''));
    const [here, there] = shells;
    if (here === undefined || there === undefined) throw new Error('no tabs');
    for (const shell of shells) await shell.readyForOffline();
    await (await here.research()).collect(SLEEP.query);

    // gone for good; who runs the room starts another one elsewhere, with the room's invite
    const { app } = relay.line;
    const invite = relay.line.invite ?? '';
    await relay.kill();
    const other = await anotherRelay(['--demo', '--room', invite]);
    const moved = new URL(new URL(other.line.invite ?? '').hash, app).href;
    for (const [i, { page }] of [a, b].entries()) {
      // the app starts without the relay that it came from; the room is known, so there is nothing to ask
      await page.goto('about:blank');
      await page.goto(moved);
      await shells[i]?.expectRoom(/Research room/);
    }
    await (await there.mesh()).expectOthers(['relay direct', 'tab direct'], RECONNECTED_MS);
    await (await here.mesh()).expectOthers(['relay direct', 'tab direct'], RECONNECTED_MS);
    // A has kept what it collected, and B gets it through nothing but the new relay
    await expect((await here.data()).row(SLEEP.query)).toContainText('(you)');
    const search = await there.search();
    await search.askUntil(SLEEP.word, /1 match from 1 device/);
    await search.open(SLEEP.title);
  },
);
