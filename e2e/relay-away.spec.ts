import { joinByInvite, type MeshView, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** As many as the issue asks for. */
const CALLS = 200;
/** What browsers say about sockets to a relay that is not there. */
const RELAY_GONE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to .* failed/;
/** The longest pause between two tries of a tab to reach its relay is 15 s. */
const RECONNECTED_MS = 40_000;

test('the relay goes away and comes back', { tag: '@long' }, async ({ relay, device }) => {
  test.setTimeout(180_000);
  const [a, b] = [await device('A'), await device('B')];
  for (const { expectProblem } of [a, b]) expectProblem(RELAY_GONE);
  const invite = relay.line.invite ?? '';
  const here = await joinByInvite(a.page, invite);
  const there = await joinByInvite(b.page, invite);
  const meshOfA = await here.mesh();
  await meshOfA.expectOthers(['relay direct', 'tab direct']);
  await (await there.mesh()).expectOthers(['relay direct', 'tab direct']);
  const { name: nameOfA } = await meshOfA.self();
  // views that were not opened yet come from the service worker when the relay cannot give them
  for (const shell of [here, there]) await shell.readyForOffline();
  const loadedAt = await Promise.all([a, b].map(({ page }) => page.evaluate(() => performance.timeOrigin)));

  await test.step('the relay is killed and comes back while calls run from B to A, all of which succeed', async () => {
    const before = await meshOfA.served(nameOfA, 'echo');
    const served = async () => (await meshOfA.served(nameOfA, 'echo')) - before;
    const calls = await startCalling(there, nameOfA);
    await expect.poll(served).toBeGreaterThan(CALLS / 10);
    await relay.kill();
    await expect(fetch(relay.line.app)).rejects.toThrow();
    await meshOfA.expectOthers(['tab direct']);
    await expect(here.connection).toHaveAccessibleName('Connection: Direct');
    // these cannot have passed the relay
    const away = await served();
    await expect.poll(served).toBeGreaterThan(away + CALLS);
    await relay.restart();
    // everybody is listed again, and nobody reloaded
    await meshOfA.expectOthers(['relay direct', 'tab direct'], RECONNECTED_MS);
    const made = await calls.stop();
    // A has served each of them once, and counts no other
    await expect.poll(served).toBe(made);
    await (await there.mesh()).expectOthers(['relay direct', 'tab direct'], RECONNECTED_MS);
    expect(await Promise.all([a, b].map(({ page }) => page.evaluate(() => performance.timeOrigin)))).toEqual(loadedAt);
  });

  await test.step('a third device joins, and finds both', async () => {
    const c = await device('C');
    const newcomer = await joinByInvite(c.page, invite);
    await (await newcomer.mesh()).expectOthers(['relay direct', 'tab direct', 'tab direct']);
    const everybody: MeshView[] = [meshOfA, await there.mesh()];
    for (const mesh of everybody) await mesh.expectOthers(['relay direct', 'tab direct', 'tab direct']);
  });
});

/**
 * Calls `echo` at one peer through the form of the Tools view, again and again. The product offers its pages no other way
 * in, and this is the whole way of a call: form, router, mesh, answer. The loop runs in the page, where a call takes
 * milliseconds: steps from out here would take minutes.
 * @returns what ends it, and tells how many calls were made. @throws there with the first answer that was a failure
 */
async function startCalling(shell: Shell, place: string): Promise<{ readonly stop: () => Promise<number> }> {
  const tool = await shell.tool('Echo');
  await tool.at(place);
  await tool.argument('Text').fill('the first call');
  await tool.run();
  await expect(tool.answer.getByText('the first call', { exact: true })).toBeVisible();
  await expect(tool.answer).toContainText(place.split(' · ')[0] ?? '');

  const main = shell.page.getByRole('main');
  const input = await tool.argument('Text').elementHandle();
  const calling = main.evaluate(async (view, box) => {
    if (!(box instanceof HTMLTextAreaElement) || box.form === null) throw new Error('no text area in a form');
    let call = 1;
    while (box.dataset['enough'] === undefined) {
      const text = `this is call ${++call}`;
      const answered = new Promise<void>((resolve, reject) => {
        const observer = new MutationObserver(() => {
          const failure = view.querySelector('[role="alert"]')?.textContent;
          if (failure === undefined && !view.textContent.includes(text)) return;
          observer.disconnect();
          if (failure === undefined) resolve();
          else reject(new Error(`${text}: ${failure}`));
        });
        observer.observe(view, { childList: true, subtree: true, characterData: true });
      });
      box.value = text;
      box.dispatchEvent(new Event('input', { bubbles: true }));
      box.form.requestSubmit();
      await answered;
    }
    return call;
  }, input);
  // it is waited for in `stop`
  calling.catch(() => undefined);
  return {
    stop: async () => {
      await input.evaluate((box) => {
        if (box instanceof HTMLElement) box.dataset['enough'] = '';
      });
      return await calling;
    },
  };
}
