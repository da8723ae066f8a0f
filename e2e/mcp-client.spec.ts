import { connectMcp, type McpClient } from './support/mcp.ts';
import { joinByInvite, type MeshView } from './support/pages.ts';
import { storedText } from './support/stored-text.ts';
import { expect, test as base } from './support/test.ts';

const TOOLS = ['collect_literature', 'echo', 'get_record', 'list_datasets', 'list_peers', 'search_index'];

const test = base.extend<{ readonly mcp: (url: string, token: string | null) => Promise<McpClient> }>({
  mcp: async ({}, use) => {
    const clients: McpClient[] = [];
    await use(async (url, token) => {
      const client = await connectMcp(url, token);
      clients.push(client);
      return client;
    });
    await Promise.all(clients.map((client) => client.close()));
  },
});

test('an MCP client runs the main job in a tab; without tabs, at the relay', async ({ relay, device, mcp }) => {
  const [a, b] = [await device('A'), await device('B')];
  const tabs = [
    await joinByInvite(a.page, relay.line.invite ?? ''),
    await joinByInvite(b.page, relay.line.invite ?? ''),
  ];
  const views: { mesh: MeshView; name: string; peer: string }[] = [];
  for (const shell of tabs) {
    const mesh = await shell.mesh();
    await mesh.expectOthers(['relay direct', 'tab direct']);
    const { name } = await mesh.self();
    const { peer } = await mesh.ownIds();
    views.push({ mesh, name, peer });
  }
  const client = await mcp(relay.line.mcp, relay.line.token);
  expect(await client.tools()).toEqual(expect.arrayContaining(TOOLS));

  const dataset = await test.step('collects, and the tab that did it counts it', async () => {
    const result = await client.call('collect_literature', { query: 'sleep', max_results: 100 });
    expect(result).toMatchObject({ isError: false, route: { kind: 'peer' } });
    expect(result.progress.length).toBeGreaterThan(0);
    const ran = views.find(({ peer }) => peer === result.route?.peer);
    const other = views.find(({ peer }) => peer !== result.route?.peer);
    if (ran === undefined || other === undefined) throw new Error(`it ran at ${JSON.stringify(result.route)}`);
    expect(result.route?.name).toBe(ran.name);
    await expect.poll(() => other.mesh.served(ran.name, 'collect_literature')).toBe(1);
    expect(await other.mesh.served(other.name, 'collect_literature')).toBe(0);
    expect(result.data['records']).toBeGreaterThan(10);
    return result.data['dataset'];
  });

  await test.step('finds the records', async () => {
    const result = await client.call('search_index', { query: 'hippocampal replay', top_k: 5 });
    expect(result).toMatchObject({ isError: false, route: { kind: 'peer' }, data: { missing: [] } });
    expect(result.data['hits']).toContainEqual(
      expect.objectContaining({ title: expect.stringMatching(/^Hippocampal replay/), dataset }),
    );
  });

  await Promise.all([a.context.close(), b.context.close()]);
  await test.step('with all tabs closed the relay names what is away', async () => {
    await expect
      .poll(async () => (await client.call('search_index', { query: 'hippocampal replay' })).data)
      .toMatchObject({ hits: [], missing: [{ dataset, name: 'sleep' }] });
    const result = await client.call('search_index', { query: 'hippocampal replay' });
    expect(result.route?.kind).toBe('self');
  });

  await test.step('and does what it can itself', async () => {
    const collected = await client.call('collect_literature', { query: 'base editing', max_results: 100 });
    expect(collected).toMatchObject({ isError: false, route: { kind: 'self' } });
    const found = await client.call('search_index', { query: 'macaques' });
    expect(found.data['hits']).toContainEqual(
      expect.objectContaining({ title: expect.stringMatching(/^Lowering LDL/) }),
    );
  });
});

test('without a token, or with a wrong one, nothing runs', async ({ relay, device, mcp }) => {
  const { page } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const mesh = await shell.mesh();
  await mesh.expectOthers(['relay direct']);
  const { name } = await mesh.self();
  const right = await mcp(relay.line.mcp, relay.line.token);
  await expect.poll(() => right.tools()).toContain('echo');

  for (const token of [null, 'wrong', changed(relay.line.token)]) {
    await expect(connectMcp(relay.line.mcp, token)).rejects.toMatchObject({ code: 401 });
    const answer = await fetch(relay.line.mcp, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: 'hello' } },
      }),
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain('hello');
  }

  const result = await right.call('echo', { text: 'hello' });
  expect(result).toMatchObject({ data: { text: 'hello' }, route: { kind: 'peer', name } });
  // the right call is the only one that the tab has ever served
  await expect.poll(() => mesh.served(name, 'echo')).toBe(1);
});

test('a member makes a token of its own in the app; the owner token is not there', async ({ relay, device, mcp }) => {
  const { page } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  await (await shell.mesh()).expectOthers(['relay direct']);
  await shell.go('Settings');
  await page.getByRole('button', { name: 'Create a token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Connect an AI client' });
  await dialog.getByRole('textbox', { name: 'What is it for?' }).fill('Claude on my laptop');
  await dialog.getByRole('button', { name: 'Create the token' }).click();
  const shown = async (label: string) => {
    const button = dialog.getByRole('button', { name: new RegExp(`^Copy ${label} `) });
    return ((await button.getAttribute('aria-label')) ?? '').slice(`Copy ${label} `.length);
  };
  const [token, url] = [await shown('token'), await shown('MCP address')];
  expect(url).toBe(relay.line.mcp);
  expect(token).not.toBe(relay.line.token);

  const everything = await storedText(page);
  // the text is what it claims to be: the token on screen and the room in the storage are in it
  expect(everything).toContain(token);
  expect(everything).toContain(`tabmesh/room/${relay.line.room ?? ''}`);
  expect(everything).not.toContain(relay.line.token);

  const client = await mcp(url, token);
  const result = await client.call('echo', { text: 'from my laptop' });
  expect(result).toMatchObject({ data: { text: 'from my laptop' }, route: { kind: 'peer' } });

  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(dialog).toBeHidden();
  // shown once: this browser does not keep it
  expect(await storedText(page)).not.toContain(token);
});

test.describe('a relay that is a member of no room', () => {
  test.use({ relayArgs: ['--no-room'] });

  test('says so, in a typed error', async ({ relay }) => {
    expect(relay.line).toMatchObject({ invite: null, room: null });
    await expect(connectMcp(relay.line.mcp, relay.line.token)).rejects.toThrow(/not a member of the room/);
    const answer = await fetch(`${relay.line.rest}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${relay.line.token}` },
      body: JSON.stringify({ text: 'hello' }),
    });
    expect(await answer.json()).toMatchObject({
      error: { code: 'no_place', hint: expect.stringContaining('--room'), retryable: false },
    });
  });
});

/** The token with its last character another one. */
function changed(token: string): string {
  return `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`;
}
