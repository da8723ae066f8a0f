import { joinByInvite, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

const TABS = 5;
const RELAYS = 3;
/** Ten WebRTC handshakes and fifteen to relays, on two cores. */
const MET_MS = 60_000;

test(
  'eight peers in one room: three relays and five tabs, every pair of which can call',
  { tag: '@long' },
  async ({ relay, anotherRelay, device }) => {
    test.setTimeout(180_000);
    // a relay that is given an invite becomes a member, and the invite that it prints names both
    const second = await anotherRelay(['--demo', '--room', relay.line.invite ?? '']);
    const third = await anotherRelay(['--demo', '--room', second.line.invite ?? '']);

    const shells: Shell[] = [];
    for (let i = 0; i < TABS; i++) {
      const { page } = await device(`tab ${i + 1}`);
      shells.push(await joinByInvite(page, third.line.invite ?? ''));
    }
    const others = [
      ...Array.from({ length: RELAYS }, () => 'relay direct'),
      ...Array.from({ length: TABS - 1 }, () => 'tab direct'),
    ];
    for (const shell of shells) await (await shell.mesh()).expectOthers(others, MET_MS);

    /** tabs that have called all others already: each pair of tabs once is enough */
    const done: string[] = [];
    for (const [i, shell] of shells.entries()) {
      await test.step(`tab ${i + 1} calls the others`, async () => {
        const tool = await shell.tool('Echo');
        const places = await tool.places();
        expect(places).toHaveLength(RELAYS + TABS);
        const self = places.filter((place) => place.endsWith(' (this tab)'));
        for (const [n, place] of places.filter((each) => ![...self, ...done].includes(each)).entries()) {
          await tool.at(place);
          const text = `tab ${i + 1}, call ${n + 1}`;
          await tool.argument('Text').fill(text);
          await tool.run();
          await expect(tool.answer.getByText(text, { exact: true })).toBeVisible();
          await expect(tool.why).toContainText(place.replace(' (relay)', ''));
        }
        done.push(...self.map((place) => place.replace(' (this tab)', '')));
      });
    }

    for (const [i, { line }] of [relay, second, third].entries()) {
      await test.step(`relay ${i + 1} calls the seven others`, async () => {
        const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
          const headers = { authorization: `Bearer ${line.token}`, 'content-type': 'application/json' };
          const response = await fetch(line.rest + path, { headers, ...init });
          expect(response.status, await response.clone().text()).toBe(200);
          return await response.json();
        };
        const { tools } = (await ask('')) as {
          tools: readonly { readonly name: string; readonly places: readonly { kind: string; peer: string }[] }[];
        };
        const places = tools.find(({ name }) => name === 'echo')?.places ?? [];
        const reached = places.filter(({ kind }) => kind !== 'self').map(({ peer }) => peer);
        expect(reached).toHaveLength(RELAYS - 1 + TABS);
        for (const peer of reached) {
          const answer = await ask(`/echo?place=${peer}`, { method: 'POST', body: JSON.stringify({ text: 'hello' }) });
          expect(answer).toMatchObject({ result: { text: 'hello', peer } });
        }
      });
    }
  },
);
