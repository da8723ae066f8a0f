import { joinByInvite, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** Two pings of 3 s each go unanswered, the first of them sent up to 3 s after the tab has stopped; then the view draws it. */
const GONE_MS = 15_000;
/** The longest pause between two tries to reach a peer is 15 s, and a try takes up to 20. */
const BACK_MS = 60_000;

test(
  'a tab that is frozen or suspended is back by itself, and shows as gone meanwhile',
  { tag: '@long' },
  async ({ relay, device }) => {
    test.setTimeout(180_000);
    const [a, b] = [await device('A'), await device('B')];
    // what the other side does to links that are dead
    for (const { expectProblem } of [a, b]) expectProblem(/WebSocket connection to .* failed/);
    const invite = relay.line.invite ?? '';
    const here = await joinByInvite(a.page, invite);
    const there = await joinByInvite(b.page, invite);
    const [meshOfA, meshOfB] = [await here.mesh(), await there.mesh()];
    await meshOfA.expectOthers(['relay direct', 'tab direct']);
    await meshOfB.expectOthers(['relay direct', 'tab direct']);
    const { name } = await meshOfA.self();
    const loadedAt = await a.page.evaluate(() => performance.timeOrigin);
    const devtools = await a.context.newCDPSession(a.page);

    await test.step('frozen by the browser: Chromium goes on delivering to open data channels, so it can still be called', async () => {
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await call(there, name, 'frozen');
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      await there.mesh();
      await meshOfB.expectOthers(['relay direct', 'tab direct']);
    });

    await test.step('suspended, as by a machine that sleeps: gone within seconds', async () => {
      await devtools.send('Debugger.enable');
      const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
      await devtools.send('Debugger.pause');
      await paused;
      await meshOfB.expectOthers(['relay direct', 'tab connecting'], GONE_MS);
    });

    await test.step('awake again: both list each other, nobody reloaded, calls arrive', async () => {
      await devtools.send('Debugger.resume');
      await devtools.send('Debugger.disable');
      await meshOfB.expectOthers(['relay direct', 'tab direct'], BACK_MS);
      await meshOfA.expectOthers(['relay direct', 'tab direct'], BACK_MS);
      expect(await a.page.evaluate(() => performance.timeOrigin)).toBe(loadedAt);
      // the first call may meet the link of before in the moment in which both sides drop it
      await expect(() => call(there, name, 'awake')).toPass({ timeout: BACK_MS });
    });
  },
);

async function call(shell: Shell, place: string, text: string): Promise<void> {
  const tool = await shell.tool('Echo');
  await tool.at(place);
  await tool.argument('Text').fill(text);
  await tool.run();
  await expect(tool.answer.getByText(text, { exact: true })).toBeVisible();
}
