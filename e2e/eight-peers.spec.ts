import { joinByInvite, type Shell } from './support/pages.ts';
import { startRelay, type TestRelay } from './support/relay.ts';
import { expect, test } from './support/test.ts';

const TABS = 5;
/** Ten WebRTC handshakes and fifteen to relays, on two cores. */
const MET_MS = 90_000;

const relays: TestRelay[] = [];
test.afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.dispose();
});

test('eight peers in one room: three relays and five tabs, every pair of which can call', async ({ relay, device }) => {
  test.setTimeout(300_000);
  // a relay that is given an invite becomes a member, and the invite that it prints names both
  const second = await startRelay(['--demo', '--room', relay.line.invite ?? '']);
  relays.push(second);
  const third = await startRelay(['--demo', '--room', second.line.invite ?? '']);
  relays.push(third);
  const invite = third.line.invite ?? '';

  const shells: Shell[] = [];
  for (let i = 0; i < TABS; i++) {
    const { page } = await device(`tab ${i + 1}`);
    shells.push(await joinByInvite(page, invite));
  }
  const others = [
    ...Array.from({ length: 3 }, () => 'relay direct'),
    ...Array.from({ length: TABS - 1 }, () => 'tab direct'),
  ];
  const names: string[] = [];
  for (const shell of shells) {
    const mesh = await shell.mesh();
    await mesh.expectOthers(others, MET_MS);
    names.push((await mesh.self()).name);
  }
  const [first] = shells;
  if (first === undefined) throw new Error('no tab');
  const peers = await (await first.mesh()).peers();
  const all = peers.map(({ name }) => name);
  expect(new Set(all).size).toBe(TABS + 3);

  for (const [i, shell] of shells.entries()) {
    await test.step(`tab ${i + 1} calls the seven others`, async () => {
      const tool = await shell.tool('Echo');
      for (const [n, name] of all.filter((each) => each !== names[i]).entries()) {
        await tool.at(name);
        const text = `${i} to ${n}`;
        await tool.argument('Text').fill(text);
        await tool.run();
        await expect(tool.answer.getByText(text, { exact: true })).toBeVisible();
        await expect(tool.why).toContainText(name);
      }
    });
  }

  for (const [i, { line }] of [relay, second, third].entries()) {
    await test.step(`relay ${i + 1} calls the seven others`, async () => {
      const api = async (path: string, body?: object) => {
        const response = await fetch(line.rest + path, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${line.token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        expect(response.status, await response.clone().text()).toBe(200);
        return (await response.json()) as unknown;
      };
      const { tools } = (await api('')) as {
        tools: readonly { readonly name: string; readonly places: readonly { kind: string; peer: string }[] }[];
      };
      const places = tools.find(({ name }) => name === 'echo')?.places ?? [];
      const reached = places.filter(({ kind }) => kind !== 'self').map(({ peer }) => peer);
      expect(reached).toHaveLength(TABS + 2);
      for (const peer of reached) {
        expect(await api(`/echo?place=${peer}`, { text: 'hello' })).toMatchObject({ result: { text: 'hello', peer } });
      }
    });
  }
});
