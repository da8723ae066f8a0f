import { multiaddr } from '@multiformats/multiaddr';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { openSocket, socketUrl } from '../../../src/mesh/node/web-sockets.ts';

const PEER = '12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE';

it.each([
  ['/ip4/127.0.0.1/tcp/8787/ws', 'ws://127.0.0.1:8787/'],
  ['/ip6/::1/tcp/8787/ws', 'ws://[::1]:8787/'],
  ['/dns4/relay.example.org/tcp/443/tls/ws', 'wss://relay.example.org:443/'],
  ['/dns/relay.example.org/tcp/443/wss', 'wss://relay.example.org:443/'],
  [`/ip4/127.0.0.1/tcp/1/ws/http-path/room%2F${PEER}`, `ws://127.0.0.1:1/room/${PEER}`],
])('%s is %s', (address, url) => {
  expect(socketUrl(multiaddr(`${address}/p2p/${PEER}`))).toBe(url);
});

it('an address that is no WebSocket has no URL', () => {
  expect(() => socketUrl(multiaddr('/ip4/127.0.0.1/udp/1/quic-v1'))).toThrow('not the address of a WebSocket');
});

it('a socket that is not opened in time is closed, so that the next one need not wait for it', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const connected = once(silent, 'connection') as Promise<[Socket]>;
  const giveUp = new AbortController();
  const opening = openSocket(`ws://127.0.0.1:${String((silent.address() as AddressInfo).port)}/`, giveUp.signal);
  const [socket] = await connected;
  const closed = once(socket.resume(), 'close');
  giveUp.abort(new Error('too slow'));
  await expect(opening).rejects.toThrow('too slow');
  await closed;
  silent.close();
});

it('a port where nobody listens is told', async () => {
  await expect(openSocket('ws://127.0.0.1:9/')).rejects.toMatchObject({ code: 'peer_unreachable' });
});
