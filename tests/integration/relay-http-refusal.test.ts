import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runRelay } from '../../relay/run.ts';
import { startMemoryPeers } from '../support/memory-peers.ts';

const NOT_A_KEY = fileURLToPath(import.meta.url);

let folder: string;
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-refusal-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

const data = () => join(folder, 'data');

/** Runs a relay that must not start. @returns what it said on stderr */
async function refusal(args: readonly string[] = [], env: Record<string, string> = {}): Promise<string> {
  let stdout = '';
  let stderr = '';
  const code = await runRelay({
    args: ['--port', '0', '--data', data(), ...args],
    env,
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    interactive: false,
    // one that does start must not run for ever
    stop: AbortSignal.timeout(5_000),
    startRelayPeers: startMemoryPeers,
    appFolder: '/nonexistent',
  });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/^tabmesh: /);
  expect(stderr).not.toMatch(/\bat .*\.ts:/);
  return stderr;
}

describe('a relay that cannot start says why in one line and ends with 1:', () => {
  it.each<[string[], RegExp]>([
    [['--port', 'http'], /--port.*0 to 65535/],
    [['--port', '65536'], /--port/],
    [['--unknown'], /--unknown/],
    [['extra'], /extra/],
    [['--host', 'a b'], /--host/],
    [['--public-url', 'relay.example.org'], /--public-url/],
    [['--upstream', 'nowhere=http://127.0.0.1:1'], /--upstream.*pubmed/],
    [['--tls-cert', 'cert.pem'], /--tls-key/],
    [['--tls-cert', '/nonexistent', '--tls-key', '/nonexistent'], /cannot be read/],
    [['--tls-cert', NOT_A_KEY, '--tls-key', NOT_A_KEY], /cannot be used/],
    [['--room', 'x', '--no-room'], /--no-room/],
    [['--host', '192.0.2.1'], /does not have that address/],
  ])('%j', async (args, expected) => {
    expect(await refusal(args)).toMatch(expected);
  });

  it('an environment variable', async () => {
    expect(await refusal([], { TABMESH_DEMO: 'maybe' })).toMatch(/TABMESH_DEMO/);
  });

  it('a taken port', async () => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const text = await refusal(['--port', String(port)]);
    expect(text).toContain(`port ${String(port)} on 127.0.0.1 is taken`);
    await expect(stat(join(data(), 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a folder that is a file', async () => {
    await writeFile(data(), '');
    expect(await refusal()).toMatch(/cannot be written \((EEXIST|ENOTDIR)\)/);
  });

  it.skipIf(process.getuid?.() === 0)('a folder without the right to write (root may write anywhere)', async () => {
    await chmod(folder, 0o500);
    expect(await refusal()).toMatch(/cannot be written \(EACCES\)/);
    await chmod(folder, 0o700);
  });

  it('a folder of a newer version, which stays as it is', async () => {
    await mkdir(data());
    await writeFile(join(data(), 'format.json'), '{"version":99}');
    expect(await refusal()).toMatch(/newer.*Update this app/);
    expect(await readFile(join(data(), 'format.json'), 'utf8')).toBe('{"version":99}');
  });
});
