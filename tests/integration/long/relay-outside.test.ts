import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { environmentName } from '../../../relay/config/options.ts';
import { relayProgram } from '../../../scripts/relay-program.ts';
import { startGithub, TOKEN, type GithubServer } from '../../support/github-server.ts';
import { startUpstream, type UpstreamServer } from '../../support/http-listener.ts';
import { startStun } from '../../support/stun-server.ts';

const ENTRY = relayProgram();
const START_MS = 30_000;

let folder: string;
let github: GithubServer;
let addresses: UpstreamServer;
/** paths of the address service that were asked */
let asked: string[] = [];
let stun: Awaited<ReturnType<typeof startStun>>[] = [];
const running: Relay[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-outside-'));
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  github = await startGithub();
  addresses = await startUpstream((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/broken') response.writeHead(500).end();
    else response.end('203.0.113.9\n');
  });
  stun = await Promise.all([startStun(), startStun()]);
});
afterAll(async () => {
  for (const relay of running.splice(0)) await relay.stop();
  for (const server of stun) server.close();
  await Promise.all([github.close(), addresses.close()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
});

interface Relay {
  readonly rest: string;
  readonly token: string;
  readonly invite: string;
  said(): string;
  call(tool: string, args: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Runs the relay's program as its owner would. */
async function startRelay(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Relay> {
  const data = join(folder, name);
  await mkdir(data, { mode: 0o700 });
  const child: ChildProcess = spawn(process.execPath, [ENTRY, '--json', '--port', '0', '--data', data, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  let said = '';
  child.stderr?.on('data', (text) => (said += String(text)));
  const { stdout } = child;
  if (stdout === null) throw new Error('no output');
  const [line] = (await once(createInterface({ input: stdout }), 'line', {
    signal: AbortSignal.timeout(START_MS),
  })) as [string];
  const { rest, token, invite } = JSON.parse(line) as Pick<Relay, 'rest' | 'token' | 'invite'>;
  const relay: Relay = {
    rest,
    token,
    invite,
    said: () => said,
    async call(tool, given) {
      const response = await fetch(`${rest}/${tool}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(given),
      });
      const body = (await response.json()) as { readonly result: Record<string, unknown> };
      return body.result;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
  running.push(relay);
  return relay;
}

const everything = (): Readonly<Record<string, string>> => ({
  'nat-stun': stun.map(({ url }) => url).join(' '),
  'ip-service': `${addresses.url}/broken ${addresses.url}/address`,
  'github-registry': 'owner/repo',
  'github-token-file': join(folder, 'token'),
  'github-api': github.url,
});

describe('a relay with services outside', () => {
  it('announces its peer sealed at GitHub, learns how it is seen, and another finds it there', async () => {
    const args = Object.entries(everything()).flatMap(([name, values]) =>
      values.split(' ').flatMap((value) => [`--${name}`, value]),
    );
    const first = await startRelay('first', args);
    await expect.poll(() => github.issues.length, { timeout: 20_000 }).toBe(1);
    // in their order: the second was asked because the first failed
    await expect
      .poll(() => first.said(), { timeout: 20_000 })
      .toContain('seen from outside address="203.0.113.9" nat="cone"');
    expect(asked).toEqual(['/broken', '/address']);

    const here = await first.call('list_peers', {});
    const [self] = here['peers'] as { readonly peer: string }[];
    const [issue] = github.issues;
    expect(issue).toMatchObject({
      state: 'open',
      labels: expect.arrayContaining(['peer-registry', 'peer-active']) as [],
    });
    expect(JSON.stringify(issue)).not.toContain(self?.peer);
    expect(JSON.stringify(issue)).not.toContain('127.0.0.1');

    // the room's only relay is gone: nobody else can tell of its peer
    await first.stop();
    const env = Object.fromEntries(Object.entries(everything()).map(([name, value]) => [environmentName(name), value]));
    const second = await startRelay('second', ['--room', first.invite], env);
    await expect.poll(() => github.issues.length, { timeout: 20_000 }).toBe(2);
    const found = await second.call('peer_discover', { timeout: 10 });
    expect((found['peers'] as { readonly peer_id: string }[]).map(({ peer_id }) => peer_id)).toEqual([self?.peer]);
  }, 90_000);

  it('asks nobody when its owner has named nobody', async () => {
    const before = github.requests.length;
    const relay = await startRelay('silent', []);
    expect(await relay.call('bootstrap_network', { min_connections: 1, timeout: 10 })).toMatchObject({ success: true });
    await relay.stop();
    expect(relay.said()).not.toContain('seen from outside');
    expect([asked, github.requests.length]).toEqual([[], before]);
  }, 60_000);

  it('does not start without the token that it was promised', async () => {
    const args = ['--github-registry', 'owner/repo', '--github-token-file', join(folder, 'nowhere')];
    const child = spawn(process.execPath, [ENTRY, '--port', '0', '--data', join(folder, 'third'), ...args]);
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([1, expect.stringContaining('--github-token-file cannot be read')]);
  }, 30_000);
});
