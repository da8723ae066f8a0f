import { fileURLToPath } from 'node:url';
import { InviteCard, joinByInvite, MeshView, Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** Self-signed, for localhost and 127.0.0.1. */
const CERT = fileURLToPath(new URL('../tests/fixtures/tls/cert.pem', import.meta.url));
const KEY = fileURLToPath(new URL('../tests/fixtures/tls/key.pem', import.meta.url));
/** The relay's own peer and the other device's tab, neither through the relay's circuit. */
const BOTH_DIRECT = ['relay direct', 'tab direct'];

test('an invite brings two profiles together, directly', async ({ relay, device }) => {
  const [a, b] = [await device('A'), await device('B')];
  const invite = relay.line.invite ?? '';

  await test.step('it shows one card, and its secret has left the address bar', async () => {
    await a.page.goto(invite);
    const { card, join } = new InviteCard(a.page);
    await expect(join).toBeVisible();
    await expect(a.page.getByRole('main').getByRole('region')).toHaveCount(1);
    await expect(card).toContainText(new URL(relay.line.app).host);
    await expect(card).toContainText('Members can');
    expect(a.page.url()).toBe(relay.line.app);
    expect(await a.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).not.toContain(
      `tabmesh/room/${relay.line.room ?? ''}`,
    );
    await join.click();
  });

  const here = new Shell(a.page);
  await expect(here.connection).toHaveAccessibleName('Connection: Direct');
  const there = await joinByInvite(b.page, invite);
  const [meshA, meshB] = [await here.mesh(), await there.mesh()];
  await meshA.expectOthers(BOTH_DIRECT);
  await meshB.expectOthers(BOTH_DIRECT);

  await test.step('each lists the other by its own name', async () => {
    const [selfA, selfB] = [await meshA.self(), await meshB.self()];
    expect(selfA.name).not.toBe(selfB.name);
    await expect.poll(async () => (await meshA.peers()).map(({ name }) => name)).toContain(selfB.name);
    await expect.poll(async () => (await meshB.peers()).map(({ name }) => name)).toContain(selfA.name);
  });
});

test('the secret leaves the address bar before the app has loaded', async ({ relay, device }) => {
  const { page, expectProblem } = await device('A');
  expectProblem(/Failed to (?:load resource|fetch dynamically imported module)/);
  await page.route(/\/assets\/main-.*\.js$/, (route) => route.abort());
  await page.goto(relay.line.invite ?? '');
  await expect(page.getByRole('alert')).toContainText('The app could not be loaded');
  expect(page.url()).toBe(relay.line.app);
});

test('an invite that is declined connects to nobody', async ({ relay, device }) => {
  const { page } = await device('A');
  await page.goto(relay.line.invite ?? '');
  await new InviteCard(page).notNow.click();
  await expect(page.getByRole('heading', { level: 1, name: 'Start with a room' })).toBeVisible();
  expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([
    'tabmesh/device',
  ]);
});

test('a room that is known opens without a question', async ({ relay, device }) => {
  const { page } = await device('A');
  const invite = relay.line.invite ?? '';
  const first = await joinByInvite(page, invite);
  const { name } = await (await first.mesh()).self();

  await test.step('by its invite', async () => {
    // away first: from the same page only the fragment would change
    await page.goto('about:blank');
    await page.goto(invite);
    await expect(first.connection).toHaveAccessibleName('Connection: Direct');
    expect(page.url()).not.toContain('#');
  });
  await test.step('by the invite in the address bar of the open app', async () => {
    await page.goto(invite);
    await expect(first.connection).toHaveAccessibleName('Connection: Direct');
    expect(page.url()).not.toContain('#');
  });
  await test.step('by a visit to the app, as the same device', async () => {
    await page.goto(relay.line.app);
    await expect(first.connection).toHaveAccessibleName('Connection: Direct');
    expect(await (await first.mesh()).self()).toMatchObject({ name });
  });
});

test('a bare visit makes a private room, and its invite can be pasted', async ({ relay, device }) => {
  const [a, b] = [await device('A', { permissions: ['clipboard-read', 'clipboard-write'] }), await device('B')];
  await a.page.goto(relay.line.app);
  await a.page
    .getByRole('region', { name: 'New private room' })
    .getByRole('textbox', { name: 'Name of the room' })
    .fill('Night shift');
  await a.page.getByRole('button', { name: 'Make the room' }).click();
  const here = new Shell(a.page);
  // the relay introduces its members, but is none itself
  await expect(here.connection).toHaveAccessibleName('Connection: Alone');
  await here.expectRoom(/Night shift/);
  const meshA = await here.mesh();
  await a.page.getByRole('button', { name: 'Copy invite link', exact: true }).click();
  const invite = await a.page.evaluate(() => navigator.clipboard.readText());

  await b.page.goto(relay.line.app);
  const open = b.page.getByRole('region', { name: 'Open an invite' });
  await open.getByRole('textbox', { name: 'Invite link' }).fill(`${relay.line.app}#join=nonsense`);
  await open.getByRole('button', { name: 'Open the invite' }).click();
  await expect(open.getByRole('textbox', { name: 'Invite link' })).toHaveAccessibleDescription(/invite/);
  await open.getByRole('textbox', { name: 'Invite link' }).fill(invite);
  await open.getByRole('button', { name: 'Open the invite' }).click();
  await expect(b.page.getByRole('heading', { level: 1, name: 'Night shift' })).toBeVisible();
  await new InviteCard(b.page).join.click();
  const there = new Shell(b.page);
  await expect(there.connection).toHaveAccessibleName('Connection: Direct');
  await meshA.expectOthers(['tab direct']);
  await there.mesh();
  await new MeshView(b.page).expectOthers(['tab direct']);
});

test.describe('over https with a self-signed certificate', () => {
  test.use({ relayArgs: ['--demo', '--tls-cert', CERT, '--tls-key', KEY] });

  test('two profiles find each other, directly', async ({ relay, device }) => {
    expect(relay.line.app).toMatch(/^https:/);
    expect(relay.line.multiaddrs.join(' ')).toContain('/tls/ws');
    const options = { ignoreHTTPSErrors: true };
    const [a, b] = [await device('A', options), await device('B', options)];
    // Chromium registers no service worker over a certificate that it was only told to accept
    for (const { expectProblem } of [a, b]) expectProblem(/SSL certificate error occurred when fetching the script/);
    const sockets: string[] = [];
    a.page.on('websocket', (socket) => sockets.push(socket.url()));
    const here = await joinByInvite(a.page, relay.line.invite ?? '');
    const there = await joinByInvite(b.page, relay.line.invite ?? '');
    await (await here.mesh()).expectOthers(BOTH_DIRECT);
    await (await there.mesh()).expectOthers(BOTH_DIRECT);
    expect(sockets.length).toBeGreaterThan(0);
    expect(sockets.every((url) => url.startsWith('wss:'))).toBe(true);
  });
});
