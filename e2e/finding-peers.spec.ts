import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page, Route } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

const TURN = 'turn:127.0.0.1:3478?transport=tcp';

/** Notes with which servers this page makes its WebRTC connections. */
async function watchIceServers(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { iceUrlsSeen: seen });
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        seen.push(...(configuration?.iceServers ?? []).flatMap(({ urls }) => urls));
      }
    };
  });
  return () => page.evaluate(() => (window as unknown as { iceUrlsSeen: string[] }).iceUrlsSeen);
}

test(
  'a TURN server of one’s own is checked, kept, and used by the next link',
  { tag: '@long' },
  async ({ relay, device }, testInfo) => {
    test.setTimeout(120_000);
    const invite = relay.line.invite ?? '';
    const { page } = await device('A');
    const used = await watchIceServers(page);
    const shell = await joinByInvite(page, invite);
    await shell.go('Settings');
    await page.getByRole('button', { name: 'Add a TURN server' }).click();
    const form = page.getByRole('form', { name: 'New TURN server' });
    await form.getByLabel('Addresses, one a line').fill('https://turn.example.org');
    await form.getByRole('button', { name: 'Save the server' }).click();
    await expect(form.getByText('“https://turn.example.org” is not an address such as')).toBeVisible();
    await expect(form.getByText('without a password')).toBeVisible();
    await expectAccessible(page, 'settings, TURN server with errors', testInfo);

    await form.getByLabel('Addresses, one a line').fill(TURN);
    await form.getByLabel('User name').fill('lab');
    await form.getByLabel('Password').fill('a secret of the lab');
    await form.getByRole('button', { name: 'Save the server' }).click();
    const list = page.getByRole('list', { name: 'TURN servers' });
    await expect(list).toContainText(`${TURN} as lab`);
    await expectAccessible(page, 'settings, TURN server', testInfo);
    expect(await used()).not.toContain(TURN);

    const b = await device('B');
    await joinByInvite(b.page, invite);
    await expect.poll(used, { timeout: 20_000 }).toContain(TURN);

    await page.reload();
    await shell.go('Settings');
    await list.getByRole('button', { name: 'Remove' }).click();
    await expect(list).toBeHidden();
  },
);

test(
  'GitHub is asked when somebody turns it on, with what only members can read, and not after',
  { tag: '@long' },
  async ({ relay, device }, testInfo) => {
    const { page, expectProblem } = await device('A');
    // the answer to a token that it does not know
    expectProblem(/status of 401/);
    expectProblem(/left the machine: \w+ https:\/\/api\.github\.com\//);
    const requests: { readonly method: string; readonly authorization: string; readonly body: string }[] = [];
    await page.route('https://api.github.com/**', async (route: Route) => {
      const request = route.request();
      const cors = {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': '*',
        'access-control-allow-methods': '*',
      };
      if (request.method() === 'OPTIONS') return route.fulfill({ status: 204, headers: cors });
      const { authorization = '' } = await request.allHeaders();
      requests.push({ method: request.method(), authorization, body: request.postData() ?? '' });
      if (!authorization.endsWith('right-token')) return route.fulfill({ status: 401, headers: cors, json: {} });
      if (request.method() === 'POST') return route.fulfill({ status: 201, headers: cors, json: { number: 1 } });
      return route.fulfill({ headers: cors, json: [] });
    });
    const shell = await joinByInvite(page, relay.line.invite ?? '');
    const settings = async (repository: string, token: string) => {
      await shell.go('Settings');
      await page.getByLabel('Repository').fill(repository);
      await page.getByLabel('Token', { exact: true }).fill(token);
      await page.getByRole('button', { name: 'Use GitHub' }).click();
      await expect(page.getByText(`In the issues of ${repository}`)).toBeVisible();
    };
    const finding = page.getByRole('region', { name: 'Finding peers' });
    expect(requests).toEqual([]);

    await settings('the-lab/peers', 'wrong-token');
    const { peer } = await (await shell.mesh()).ownIds();
    await expect(finding.getByRole('listitem').filter({ hasText: 'GitHub issues' })).toContainText(
      'GitHub refused the token (401)',
    );
    await expectAccessible(page, 'mesh, GitHub refuses', testInfo);
    await shell.go('Settings');
    await page.getByRole('button', { name: 'Turn off and delete the token' }).click();

    await settings('the-lab/peers', 'right-token');
    await expect.poll(() => requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    const [written] = requests.filter(({ method }) => method === 'POST');
    expect(written?.authorization).toBe('Bearer right-token');
    expect(JSON.parse(written?.body ?? '')).toMatchObject({ title: expect.stringMatching(/^Peer: /) });
    for (const open of [peer, relay.line.room ?? '', '127.0.0.1']) expect(written?.body).not.toContain(open);
    await shell.mesh();
    await expect(finding.getByRole('listitem').filter({ hasText: 'GitHub issues' })).toContainText('0 peers told');

    await shell.go('Settings');
    await page.getByRole('button', { name: 'Turn off and delete the token' }).click();
    await expect(page.getByLabel('Repository')).toBeVisible();
    const asked = requests.length;
    await shell.mesh();
    await finding.getByRole('button', { name: 'Look now' }).click();
    await expect(finding.getByRole('listitem').filter({ hasText: 'Relays of the room' }).last()).toContainText(
      '2 tries',
    );
    expect(requests).toHaveLength(asked);
  },
);

test.describe('at a relay that others reach', { tag: '@long' }, () => {
  test.use({ relayArgs: ['--demo', '--trust-proxy', '--no-room'] });

  test('a new room is made with an access key, and a wrong one can be mended', async ({ relay, device }, testInfo) => {
    const create = ['relay/main.ts', 'access', 'create', 'lab', '--data', relay.dataFolder];
    const key = (await promisify(execFile)(process.execPath, create)).stdout.trim();
    const { page } = await device('A');
    await page.goto(relay.line.app);
    const field = page.getByRole('textbox', { name: 'Access key of the relay' });
    const make = page.getByRole('button', { name: 'Make the room' });
    await expect(field).toBeVisible();
    await make.click();
    await expect(page.getByText('The key is needed')).toBeVisible();
    await expectAccessible(page, 'welcome, access key', testInfo);
    await field.fill('A'.repeat(22));
    await make.click();

    const shell = new Shell(page);
    await expect(shell.connection).toHaveAccessibleName('Connection: Offline');
    await shell.mesh();
    const connection = page.getByRole('region', { name: 'Connection' });
    await connection.getByRole('button', { name: 'Enter an access key' }).click();
    await connection.getByRole('textbox', { name: /^Access key of / }).fill(key);
    await expectAccessible(page, 'mesh, access key', testInfo);
    await connection.getByRole('button', { name: 'Use the key' }).click();
    await expect(shell.connection).toHaveAccessibleName('Connection: Alone', { timeout: 20_000 });

    // kept with the room
    await page.reload();
    await expect(shell.connection).toHaveAccessibleName('Connection: Alone', { timeout: 20_000 });
  });
});
