import { joinByInvite, type MeshView, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** As many as the issue asks for. */
const CALLS = 200;
/** What browsers say about sockets to a relay that is not there. */
const RELAY_GONE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to .* failed/;
/** The longest pause between two tries of a tab to reach its relay is 15 s. */
const RECONNECTED_MS = 40_000;

test('the relay goes away and comes back', async ({ relay, device }) => {
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

  const restart = await test.step('the relay stops, the tabs stay together', async () => {
    await relay.stop();
    await expect(fetch(relay.line.app)).rejects.toThrow();
    await meshOfA.expectOthers(['tab direct']);
    await (await there.mesh()).expectOthers(['tab direct']);
    await expect(here.connection).toHaveAccessibleName('Connection: Direct');
    await expect(there.connection).toHaveAccessibleName('Connection: Direct');
    return () => relay.restart();
  });

  await test.step(`${CALLS} calls from B to A, all of which succeed`, async () => {
    const before = await meshOfA.served(nameOfA, 'echo');
    await callMany(there, nameOfA);
    // A has served each of them once, and counts no other
    await expect.poll(() => meshOfA.served(nameOfA, 'echo')).toBe(before + CALLS);
    // the relay was away all the time: none of them can have passed it
    await expect(fetch(relay.line.app)).rejects.toThrow();
  });

  await test.step('the relay comes back: everybody is listed again, and nobody reloaded', async () => {
    await restart();
    await meshOfA.expectOthers(['relay direct', 'tab direct'], RECONNECTED_MS);
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
 */
async function callMany(shell: Shell, place: string): Promise<void> {
  const tool = await shell.tool('Echo');
  await tool.at(place);
  await tool.argument('Text').fill('the first call');
  await tool.run();
  await expect(tool.answer.getByText('the first call', { exact: true })).toBeVisible();
  await expect(tool.answer).toContainText(place.split(' · ')[0] ?? '');

  const main = shell.page.getByRole('main');
  const input = await tool.argument('Text').elementHandle();
  await main.evaluate(
    async (view, { box, calls }) => {
      if (!(box instanceof HTMLTextAreaElement) || box.form === null) throw new Error('no text area in a form');
      for (let call = 2; call <= calls; call++) {
        const text = `call ${call} of ${calls}`;
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
    },
    { box: input, calls: CALLS },
  );
}
