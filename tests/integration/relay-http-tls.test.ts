import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../relay/config/parse.ts';
import type { TakeUpgrade } from '../../relay/http/upgrade.ts';
import { startRelay, type Relay } from '../../relay/start.ts';
import { silentLog } from '../../src/lib/log.ts';
import { startMemoryPeers } from '../support/memory-peers.ts';

/** self-signed, for localhost and 127.0.0.1, made for these tests */
const CERT = fileURLToPath(new URL('../fixtures/tls/cert.pem', import.meta.url));
const KEY = fileURLToPath(new URL('../fixtures/tls/key.pem', import.meta.url));

/** Behind the TLS: what takes each WebSocket says hello and goes. */
const sayHello: TakeUpgrade = (_request, socket) => {
  socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello');
};

let folder: string;
let relay: Relay;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-tls-'));
  const config = parseConfig(['--port', '0', '--data', folder, '--tls-cert', CERT, '--tls-key', KEY], {});
  if (config === 'help') throw new Error('help');
  relay = await startRelay({
    config,
    startRelayPeers: async (options) => ({ ...(await startMemoryPeers(options)), upgradeTaker: () => sayHello }),
    appFolder: '/nonexistent',
    log: silentLog,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  await relay.close();
  await rm(folder, { recursive: true });
});

it('a relay with a certificate of its own is https throughout, also on its WebSocket', async () => {
  const { port } = new URL(relay.urls.app);
  expect(relay.urls.app).toBe(`https://127.0.0.1:${port}/`);
  expect(relay.peers.multiaddrs[0]).toContain(`/ip4/127.0.0.1/tcp/${port}/tls/ws`);

  const ca = await readFile(CERT);
  const status = await new Promise((resolve, reject) => {
    get(new URL('health', relay.urls.app), { ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject);
  });
  expect(status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();

  const socket = connect({ port: Number(port), host: '127.0.0.1', ca });
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toContain('hello');

  // a stranger's garbage on the port ends that connection only
  const garbage = netConnect(Number(port), '127.0.0.1');
  garbage.on('error', () => undefined);
  garbage.write('GET / HTTP/1.1\r\n\r\n');
  garbage.resume();
  await new Promise((resolve) => garbage.once('close', resolve));
});
