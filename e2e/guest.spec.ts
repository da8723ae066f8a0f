import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TABMESH, tabmesh } from '../tests/support/tabmesh.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** What `list_peers` tells. */
interface Listed {
  readonly peers: readonly { readonly peer: string; readonly name: string; readonly link: string }[];
}

let data: string;
test.beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tabmesh-guest-'));
});
test.afterEach(() => rm(data, { recursive: true, force: true }));

test('a command that joined by invite calls a tab, and a tab calls it, over a direct link', async ({
  relay,
  device,
}) => {
  const invite = relay.line.invite ?? '';
  const guest = ['--invite', invite, '--data', data];
  const shell = await joinByInvite((await device('A')).page, invite);
  const mesh = await shell.mesh();
  const { peer } = await mesh.ownIds();

  // the tab sees whom it answers
  const called = await tabmesh(['call', 'list_peers', '--place', peer, ...guest]);
  expect(called.stderr).toBe('');
  const { peers } = JSON.parse(called.stdout) as Listed;
  expect(peers.find(({ link }) => link === 'self')?.peer).toBe(peer);
  expect(peers.filter(({ name }) => name.startsWith('Guest ')).map(({ link }) => link)).toEqual(['direct']);

  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [TABMESH, 'mcp', ...guest] }));
  try {
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    await mesh.expectOthers(['relay direct', 'tab direct']);
    const there = (await mesh.peers()).find(({ name }) => name.startsWith('Guest '));
    const echo = await shell.tool('Echo');
    await echo.at(`${there?.name ?? ''} (relay)`);
    await echo.argument('Text').fill('to the command line');
    await echo.run();
    await expect(echo.answer.getByText('to the command line', { exact: true })).toBeVisible();
  } finally {
    await client.close();
  }
});

test(
  'where WebRTC is forbidden, a command and a tab meet through the relay',
  { tag: '@long' },
  async ({ relay, device }) => {
    const invite = relay.line.invite ?? '';
    const guest = ['--invite', invite, '--data', data];
    const tab = await device('A');
    // as a browser's policy has it: every negotiation fails
    await tab.context.addInitScript(() => {
      const value = () => Promise.reject(new Error('WebRTC is off'));
      Object.defineProperty(RTCPeerConnection.prototype, 'setLocalDescription', { value });
    });
    const mesh = await (await joinByInvite(tab.page, invite)).mesh();
    const { peer } = await mesh.ownIds();

    const room = await tabmesh(['room', ...guest]);
    expect(room.stdout).toMatch(new RegExp(`^relayed .*\\t${peer}$`, 'm'));
    const { stdout } = await tabmesh(['call', 'echo', '--json', '{"text":"hello"}', '--place', peer, ...guest]);
    expect(JSON.parse(stdout)).toEqual({ text: 'hello', peer });
  },
);
