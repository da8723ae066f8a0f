import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ENTRY = fileURLToPath(new URL('../support/relay-process.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** resolves with what stdout holds once it matches */
  printed(pattern: RegExp): Promise<string>;
}

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-process-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const data = () => join(folder, 'data');

function run(args: readonly string[] = [], env: Record<string, string> = {}): Run {
  const all = ['--port', '0', '--data', data(), ...args];
  const child = spawn(process.execPath, [ENTRY, ...all], { env: { PATH: process.env['PATH'], ...env } });
  children.push(child);
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
    for (const check of waiting) check();
  });
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
  const printed = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        if (!pattern.test(stdout)) return;
        waiting.delete(check);
        resolve(stdout);
      };
      waiting.add(check);
      void ended.then(() => {
        reject(new Error(`ended before ${String(pattern)}: ${stdout}${stderr}`));
      });
      check();
    });
  return { child, ended, printed };
}

interface Announced {
  readonly app: string;
  readonly mcp: string;
  readonly rest: string;
  readonly token: string;
  readonly invite: string | null;
  readonly multiaddrs: readonly string[];
}

const announced = async (relay: Run) => JSON.parse(await relay.printed(/\n/)) as Announced;

describe('the relay process', () => {
  it('prints one line of JSON, serves, and ends cleanly on SIGINT', async () => {
    const relay = run(['--json']);
    const line = await announced(relay);
    expect(Object.keys(line)).toEqual(['app', 'mcp', 'rest', 'token', 'invite', 'room', 'peerId', 'multiaddrs']);
    const { port } = new URL(line.app);
    expect(line).toMatchObject({
      mcp: `http://127.0.0.1:${port}/mcp`,
      rest: `http://127.0.0.1:${port}/api/tools`,
      multiaddrs: [`/ip4/127.0.0.1/tcp/${port}/ws/p2p/12D3KooWRelay`],
    });
    const echo = (token: string) =>
      fetch(`${line.rest}/echo`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"text":"hi"}',
      });
    expect(await (await echo(line.token)).json()).toMatchObject({ result: { text: 'hi' } });
    // the hooks that the peers were given: a member's token and ticket are good here
    const [, ticket = '', memberToken = ''] = /#join=(.*)\.(.*)$/.exec(line.invite ?? '') ?? [];
    expect((await echo(memberToken)).status).toBe(200);
    const blocked = await fetch(new URL('fetch?url=http://127.0.0.1/', line.app), {
      headers: { authorization: `Bearer ${ticket}` },
    });
    expect(blocked.headers.get('tabmesh-error')).toBe('upstream_blocked');

    relay.child.kill('SIGINT');
    const { code, stdout, stderr } = await relay.ended;
    expect([code, stderr]).toEqual([
      0,
      'tabmesh warn refused client="127.0.0.1" path="/fetch" code="upstream_blocked"\n',
    ]);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    await expect(stat(join(data(), 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps its token, readable by its owner only, and no other token in clear', async () => {
    const first = run(['--json']);
    const { token, invite } = await announced(first);
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    const second = run(['--json']);
    expect((await announced(second)).token).toBe(token);

    expect((await stat(data())).mode & 0o777).toBe(0o700);
    for (const name of ['owner-token', 'tokens.json', 'format.json', 'lock']) {
      expect([name, (await stat(join(data(), name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect((await readFile(join(data(), 'owner-token'), 'utf8')).trim()).toBe(token);
    const memberToken = /\.(tm_.*)$/.exec(invite ?? '')?.[1] ?? '';
    expect(memberToken).not.toBe('');
    expect(await readFile(join(data(), 'tokens.json'), 'utf8')).not.toContain(memberToken);
  });

  it('tells a person what they need', async () => {
    const relay = run(['--no-room']);
    const text = await relay.printed(/Invite.*\n/);
    expect(text).toMatch(/App +http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(text).toMatch(/MCP +http:\/\/127\.0\.0\.1:\d+\/mcp\n/);
    expect(text).toMatch(/Token +tm_/);
    expect(text).toMatch(/Invite +none/);
  });

  it('warns when browsers will refuse the app what it needs', async () => {
    const relay = run(['--host', '0.0.0.0', '--public-url', 'http://relay.example.org', '--json']);
    const { app, multiaddrs } = await announced(relay);
    relay.child.kill('SIGINT');
    const { stderr } = await relay.ended;
    expect(app).toBe('http://relay.example.org/');
    expect(multiaddrs[0]).toMatch(/^\/dns4\/relay\.example\.org\/tcp\/80\/ws\//);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/^Warning: .*neither loopback nor https/)]);
  });

  it('answers PubMed itself in the demo, and says that nothing goes there directly', async () => {
    const relay = run(['--demo', '--json']);
    const { app, invite } = await announced(relay);
    expect(await (await fetch(new URL('config', app))).json()).toMatchObject({ demo: true, directFetch: false });
    const ticket = /#join=(.*)\./.exec(invite ?? '')?.[1] ?? '';
    const url = 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi?db=pubmed&term=sleep&retmode=json';
    const answer = await fetch(new URL(`fetch?url=${encodeURIComponent(url)}`, app), {
      headers: { authorization: `Bearer ${ticket}` },
    });
    expect([answer.status, answer.headers.get('tabmesh-error')]).toEqual([200, null]);
  });

  it('ends with --help', async () => {
    const { code, stdout, stderr } = await run(['--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('--public-url');
  });
});

describe('the data folder', () => {
  it('is left alone by a second relay; a killed one is no obstacle', async () => {
    const first = run(['--json']);
    await announced(first);
    const second = await run().ended;
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toMatch(new RegExp(`^tabmesh: .*process ${String(first.child.pid)}.*\\n$`));
    first.child.kill('SIGKILL');
    await first.ended;
    const third = run(['--json']);
    await announced(third);
    third.child.kill('SIGINT');
    expect((await third.ended).code).toBe(0);
  });

  it('is not kept by a lock whose process id a stranger has by now', async () => {
    await mkdir(data());
    await writeFile(join(data(), 'lock'), JSON.stringify({ pid: process.pid, start: 'another boot/1' }));
    const relay = run(['--json']);
    expect((await announced(relay)).token).toMatch(/^tm_/);
  });
});
