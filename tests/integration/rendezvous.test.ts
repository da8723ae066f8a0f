import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, describe, expect, it } from 'vitest';
import { startRelayNode } from '../../relay/libp2p/relay-node.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { joinTopic } from '../../src/mesh/rendezvous/client.ts';
import type { RendezvousEvent } from '../../src/mesh/rendezvous/messages.ts';
import { startStranger } from '../support/room-nodes.ts';

const TOPIC = 'a'.repeat(32);
const OTHER_TOPIC = 'b'.repeat(32);
const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop();
});

async function startRelay() {
  const relay = await startRelayNode({
    privateKey: await generateKeyPair('Ed25519'),
    announce: ['/ip4/127.0.0.1/tcp/1/ws'],
    // who may be introduced is another matter: relay-access.test.ts
    access: { find: () => undefined, open: true, ice: () => ({ ice: [], iceTtlMs: null }) },
    clock: systemClock,
    log: silentLog,
  });
  running.push(relay);
  const address = `/ip4/127.0.0.1/tcp/${String(relay.port)}/ws/p2p/${relay.libp2p.peerId.toString()}`;
  return { relay, address };
}

async function client(address: string): Promise<{ node: Libp2p; connection: Connection; id: string }> {
  const node = await startStranger();
  running.push(node);
  const connection = await node.dial(multiaddr(address));
  return { node, connection, id: node.peerId.toString() };
}

async function join(connection: Connection, topic: string, addresses: readonly string[] = []) {
  const events: RendezvousEvent[] = [];
  let closed = false;
  const stream = await joinTopic(
    connection,
    topic,
    addresses,
    (event) => events.push(event),
    () => (closed = true),
    AbortSignal.timeout(5_000),
  );
  await expect.poll(() => events.length + Number(closed)).toBeGreaterThan(0);
  return { events, stream, closed: () => closed };
}

describe('rendezvous at a relay', () => {
  it('shows the later of two peers the earlier, and tells the earlier of the later', async () => {
    const { address } = await startRelay();
    const [a, b] = [await client(address), await client(address)];
    const first = await join(a.connection, TOPIC, ['/dns4/example.org/tcp/443/tls/ws']);
    const second = await join(b.connection, TOPIC);
    expect(first.events[0]).toEqual({ type: 'peers', peers: [] });
    expect(second.events).toEqual([
      { type: 'peers', peers: [{ peer: a.id, addresses: ['/dns4/example.org/tcp/443/tls/ws'] }] },
    ]);
    await expect.poll(() => first.events.at(-1)).toEqual({ type: 'joined', peer: { peer: b.id, addresses: [] } });
  });

  it('keeps topics apart', async () => {
    const { address } = await startRelay();
    const [a, b] = [await client(address), await client(address)];
    const first = await join(a.connection, TOPIC);
    const second = await join(b.connection, OTHER_TOPIC);
    expect(second.events).toEqual([{ type: 'peers', peers: [] }]);
    expect(first.events).toHaveLength(1);
  });

  it('tells who has left, also when the connection just ends', async () => {
    const { address } = await startRelay();
    const [a, b] = [await client(address), await client(address)];
    const first = await join(a.connection, TOPIC);
    await join(b.connection, TOPIC);
    await b.node.stop();
    await expect.poll(() => first.events.at(-1), { timeout: 5_000 }).toEqual({ type: 'left', peer: b.id });
    const again = await join((await client(address)).connection, TOPIC);
    expect(again.events[0]).toMatchObject({ peers: [{ peer: a.id }] });
  });

  it('lists a peer that joined twice once, by its newer stream', async () => {
    const { address } = await startRelay();
    const [a, b] = [await client(address), await client(address)];
    const old = await join(a.connection, TOPIC);
    await join(a.connection, TOPIC);
    await old.stream.close();
    const seen = await join(b.connection, TOPIC);
    expect(seen.events[0]).toMatchObject({ peers: [{ peer: a.id }] });
  });

  it.each(['', 'short', 'A'.repeat(32), 'a'.repeat(33)])('drops who asks for the topic %j', async (topic) => {
    const { address } = await startRelay();
    const a = await client(address);
    const session = await join(a.connection, topic);
    await expect.poll(() => session.closed()).toBe(true);
    expect(session.events).toEqual([]);
  });
});
