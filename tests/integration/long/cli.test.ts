import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OlderStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRelayChild, type RelayChild } from '../../support/relay-child.ts';
import { TABMESH, tabmesh as run } from '../../support/tabmesh.ts';

/** Processes start, libp2p and all; on a busy machine that takes a while. */
const TIMEOUT_MS = 60_000;

let folder: string;
let relay: RelayChild;
const data = () => join(folder, 'relay');
const start = (port = '0') => startRelayChild(['--demo', '--port', port, '--data', data()]);
const portOf = ({ announced }: RelayChild) => new URL(announced.app).port;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-cli-'));
  relay = await start();
}, TIMEOUT_MS);
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true });
});

/** Runs the command in a folder and an environment of this test's own. */
const tabmesh = (args: readonly string[], env: Record<string, string> = {}) =>
  run(args, { cwd: folder, env: { PATH: process.env['PATH'], ...env } });
const here = (...args: string[]) => tabmesh([...args, '--data', data()]);

describe('the command line, about the relay that runs here', { timeout: TIMEOUT_MS }, () => {
  it('lists the tools, and shows one whole', async () => {
    const { code, stdout } = await here('tools');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^echo +read +1 place +Returns the given text/m);
    const one = await here('tools', 'echo');
    expect(JSON.parse(one.stdout)).toMatchObject({ name: 'echo', inputSchema: { required: ['text'] } });
  });

  it('calls a tool: its answer alone is on stdout', async () => {
    const { code, stdout, stderr } = await here('call', 'echo', '--json', '{"text":"hello"}', '--verbose');
    expect(JSON.parse(stdout)).toMatchObject({ text: 'hello' });
    expect(stderr).toMatch(/^\d+ ms at .*runs here/);
    expect(code).toBe(0);
  });

  it('shows who is in the room, and its invite', async () => {
    const { stdout } = await here('room');
    expect(stdout).toMatch(/^this peer\trelay\t/);
    expect(stdout).toContain(`Invite  ${String(relay.announced.invite)}`);
  });

  it('examines the connection', async () => {
    const { code, stdout } = await here('doctor');
    expect(stdout).toMatch(/^ok +Connection to the relay: /m);
    expect(code).toBe(0);
  });

  it.each([
    ['a tool that is not there', ['call', 'nope'], /no tool named "nope".*echo/],
    ['arguments that do not fit', ['call', 'echo', '--json', '{"text":1}'], /text/],
    ['arguments that are no JSON', ['call', 'echo', '--json', '{text'], /--json is not JSON.*single quotes/],
    ['a peer that is not here', ['call', 'echo', '--json', '{"text":"x"}', '--place', 'nobody'], /nobody|place/],
    ['a flag of another command', ['tools', '--json', '{}'], /--json means nothing here.*tabmesh tools/],
    ['a command that is not there', ['foo'], /there is no command "foo"\. The commands are start, room, tools, call/],
    ['a word too many', ['doctor', 'please'], /the command is: tabmesh doctor/],
  ])('refuses %s in one line that says what to do', async (_what, args, message) => {
    const { code, stdout, stderr } = await here(...args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says so where no relay runs', async () => {
    const { code, stderr } = await tabmesh(['tools', '--data', join(folder, 'empty')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tabmesh: no relay runs with the data folder .*empty\. .*--invite/);
  });
});

describe('the command line, about a relay elsewhere', { timeout: TIMEOUT_MS }, () => {
  it('takes the URL that clients are told, and the token from the environment', async () => {
    const env = { TABMESH_RELAY: relay.announced.mcp, TABMESH_TOKEN: relay.announced.token };
    expect((await tabmesh(['call', 'echo', '--json', '{"text":"far"}'], env)).stdout).toContain('"far"');
  });

  it('is refused with a wrong token', async () => {
    const { code, stderr } = await tabmesh(['tools', '--relay', relay.announced.app, '--token', 'tm_wrong']);
    expect(code).toBe(1);
    expect(stderr).toContain('the token is not valid');
  });

  it('wants a token', async () => {
    const { stderr } = await tabmesh(['tools', '--relay', relay.announced.app]);
    expect(stderr).toMatch(/--relay needs a token: --token, or better TABMESH_TOKEN/);
  });

  it('names the relay that nobody answers for', async () => {
    const { stderr } = await tabmesh(['tools', '--relay', 'http://127.0.0.1:9', '--token', 'x']);
    expect(stderr).toMatch(/no relay answers at http:\/\/127\.0\.0\.1:9\. Start it/);
  });
});

const command = (...args: string[]) => ({ command: process.execPath, args: [TABMESH, 'mcp', ...args], cwd: folder });

/** A client of either SDK that starts its server itself. */
const CLIENTS = {
  'SDK 1.x': async (...args: string[]) => {
    const client = new OlderClient({ name: 'test', version: '1' });
    await client.connect(new OlderStdio(command(...args)));
    return client;
  },
  'SDK 2.x': async (...args: string[]) => {
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new ModernStdio(command(...args)));
    return client as unknown as OlderClient;
  },
};

describe('tabmesh mcp', { timeout: TIMEOUT_MS }, () => {
  const clients: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });

  it.each(Object.entries(CLIENTS))('gives %s every tool of the room, resources and prompts', async (_sdk, connect) => {
    const client = await connect('--data', data());
    clients.push(client);
    const names = async () => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.listTools(cursor === undefined ? {} : { cursor });
        found.push(...page.tools.map(({ name }) => name));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return found;
    };
    const rest = await fetch(new URL('api/tools', relay.announced.app), {
      headers: { authorization: `Bearer ${relay.announced.token}` },
    });
    const { tools } = (await rest.json()) as { readonly tools: readonly { readonly name: string }[] };
    expect(await names()).toEqual(tools.map(({ name }) => name));
    expect(await client.callTool({ name: 'echo', arguments: { text: 'by stdio' } })).toMatchObject({
      structuredContent: { text: 'by stdio' },
    });
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
    expect((await client.listResources()).resources.length).toBeGreaterThan(0);
  });

  it.each(Object.entries(CLIENTS))('lets %s go on after the relay was started anew', async (_sdk, connect) => {
    const client = await connect('--data', data());
    clients.push(client);
    const echo = (text: string) => client.callTool({ name: 'echo', arguments: { text } });
    expect(await echo('before')).toMatchObject({ structuredContent: { text: 'before' } });
    const port = portOf(relay);
    await relay.stop();
    await expect(echo('meanwhile')).rejects.toThrow(/relay at http:\/\/127\.0\.0\.1:\d+ running/);
    relay = await start(port);
    expect(await echo('after')).toMatchObject({ structuredContent: { text: 'after' } });
  });

  it('passes a refusal on as it was given', async () => {
    const client = await CLIENTS['SDK 1.x']('--data', data());
    clients.push(client);
    await expect(client.callTool({ name: 'echo', arguments: {} })).resolves.toMatchObject({ isError: true });
    await expect(client.callTool({ name: 'nope', arguments: {} })).rejects.toThrow(/nope/);
  });
});

describe('a room joined by its invite', { timeout: TIMEOUT_MS }, () => {
  it('is met with a peer of our own, which calls the others', async () => {
    const invite = ['--invite', String(relay.announced.invite), '--data', join(folder, 'guest')];
    const { code, stdout, stderr } = await tabmesh(['room', ...invite]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const other = /^direct .*\trelay\t.*\t(12D3\w+)$/m.exec(stdout)?.[1];
    expect(other).toBeDefined();
    const call = ['call', 'echo', '--json', '{"text":"to the relay"}', '--place', String(other)];
    expect(JSON.parse((await tabmesh([...call, ...invite])).stdout)).toEqual({ text: 'to the relay', peer: other });
  });
});
