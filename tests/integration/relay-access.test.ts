import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runAccessCommand } from '../../relay/access/command.ts';
import type { CircuitLimits } from '../../relay/libp2p/circuit-meter.ts';
import { startRelayNode } from '../../relay/libp2p/relay-node.ts';
import type { RelayConfig } from '../../src/contracts/relay.ts';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { silentLog } from '../../src/lib/log.ts';
import { accessSecrets, newAccessKey } from '../../src/mesh/access/key.ts';
import { decodeAccessAnswer, encodeAccess, MAX_ACCESS_MESSAGE_BYTES } from '../../src/mesh/access/messages.ts';
import { presentAccess } from '../../src/mesh/access/present.ts';
import { accessProof } from '../../src/mesh/access/proof.ts';
import { ACCESS_TIMEOUT_MS } from '../../src/mesh/access/server.ts';
import { RelayLink, type RelayLinkState } from '../../src/mesh/links/relay-link.ts';
import { messageChannel } from '../../src/mesh/membership/message-channel.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import { joinTopic } from '../../src/mesh/rendezvous/client.ts';
import type { RendezvousEvent } from '../../src/mesh/rendezvous/messages.ts';
import { closed } from '../support/hostile-node.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

const TOPIC = 'a'.repeat(32);
const HELLO_NONCE = new Uint8Array(32).fill(9);
const ECHO = '/test/echo/1';
/** what a loaded machine may add to a limit */
const SLACK_MS = 2_000;

const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

/** A peer that can be reached through a relay's circuit, and answers there. */
async function startPeer(): Promise<Libp2p & { readonly id: PeerId }> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    services: { identify: identify() },
  });
  running.push(() => libp2p.stop());
  await libp2p.handle(
    ECHO,
    (stream) => {
      stream.addEventListener('message', ({ data }) => stream.send(data));
    },
    { runOnLimitedConnection: true, maxInboundStreams: 64 },
  );
  return Object.assign(libp2p, { id: libp2p.peerId.toString() as PeerId });
}

const dial = (node: Libp2p, address: string, force = true): Promise<Connection> =>
  node.dial(multiaddr(address), { force, signal: AbortSignal.timeout(10_000) });

/** Dials a relay and presents a key, as a peer does. */
async function enter(node: Libp2p & { readonly id: PeerId }, address: string, key: Uint8Array | null) {
  const connection = await dial(node, address);
  return { connection, grant: await presentAccess(connection, node.id, key, AbortSignal.timeout(5_000)) };
}

const isReserved = (node: Libp2p) => node.getMultiaddrs().some((address) => address.toString().includes('p2p-circuit'));
const reserved = (node: Libp2p) => expect.poll(() => isReserved(node), { timeout: 8_000 }).toBe(true);

/** Asks to be introduced. */
async function join(connection: Connection, topic = TOPIC) {
  const events: RendezvousEvent[] = [];
  const over = Promise.withResolvers<undefined>();
  const stream = await joinTopic(
    connection,
    topic,
    [],
    (event) => events.push(event),
    () => {
      over.resolve(undefined);
    },
    AbortSignal.timeout(5_000),
  );
  return { events, stream, over: over.promise };
}

/** Sends bytes through a circuit and waits for the echo. */
async function echo(connection: Connection, bytes: number): Promise<Stream> {
  const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true });
  const back = Promise.withResolvers<undefined>();
  let got = 0;
  stream.addEventListener('message', ({ data }) => {
    got += data.byteLength;
    if (got >= bytes) back.resolve(undefined);
  });
  stream.addEventListener('close', () => {
    back.reject(new Error('the circuit has ended'));
  });
  if (!stream.send(new Uint8Array(bytes))) await stream.onDrain();
  await back.promise;
  return stream;
}

describe('a relay', () => {
  let live: LiveRelay;
  let key: Uint8Array;
  beforeAll(async () => {
    live = await startLiveRelay();
    const [own] = Object.values(live.invite.access);
    if (own === undefined) throw new Error('no key in the invite');
    key = own;
  });
  afterAll(() => live.close());

  const command = (...args: string[]) => runAccessCommand([...args, '--data', live.folder], {});

  it('lets in who has the key of its invite: reserved, introduced, carried', async () => {
    const [a, b] = [await startPeer(), await startPeer()];
    await enter(a, live.address, key);
    await reserved(a);
    const { connection } = await enter(b, live.address, key);
    const { events } = await join(connection);
    await expect.poll(() => events).toEqual([{ type: 'peers', peers: [] }]);
    const circuit = await dial(b, `${live.address}/p2p-circuit/p2p/${a.id}`);
    await echo(circuit, 1_000);
  });

  it('has a reservation and a list wait for the key that comes a moment later', async () => {
    const peer = await startPeer();
    const connection = await dial(peer, live.address);
    const { events } = await join(connection);
    // libp2p reserves by itself as soon as it knows that it can
    await presentAccess(connection, peer.id, key, AbortSignal.timeout(5_000));
    await reserved(peer);
    await expect.poll(() => events).toEqual([{ type: 'peers', peers: [] }]);
  });

  it.each([
    ['no key', null],
    ['a key that it never gave', newAccessKey()],
  ])('shuts out who has %s: not reserved, not introduced, not carried, and closed', async (_what, wrong) => {
    const member = await startPeer();
    await enter(member, live.address, key);
    await reserved(member);

    const stranger = await startPeer();
    const connection = await dial(stranger, live.address);
    const { events, over } = await join(connection);
    const circuit = dial(stranger, `${live.address}/p2p-circuit/p2p/${member.id}`);
    circuit.catch(() => undefined);
    await expect(presentAccess(connection, stranger.id, wrong, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await expect(circuit).rejects.toThrow();
    await closed(connection);
    await over;
    expect(events).toEqual([]);
    expect(isReserved(stranger)).toBe(false);
    expect(member.getConnections(stranger.peerId)).toEqual([]);
    expect(live.log.join('\n')).toMatch(new RegExp(`refused.*${stranger.id}`));
  });

  it('closes who says nothing, and serves him nothing meanwhile', async () => {
    const stranger = await startPeer();
    const connection = await dial(stranger, live.address);
    const { events } = await join(connection);
    expect(await closed(connection)).toBeLessThan(ACCESS_TIMEOUT_MS + SLACK_MS);
    expect(events).toEqual([]);
    expect(isReserved(stranger)).toBe(false);
  });

  it('takes no proof again that was said on another connection', async () => {
    const peer = await startPeer();
    const heard = await dial(peer, live.address);
    const overheard = await saying(heard, [hello(key), proofOf(peer.id, live.relay.peers.peerId, key)]);
    expect(overheard.answer.type).toBe('welcome');
    await heard.close();
    const again = await dial(peer, live.address);
    const { answer } = await saying(
      again,
      overheard.said.map((bytes) => () => bytes),
    );
    expect(answer).toMatchObject({ type: 'refused', code: 'unauthorized' });
  });

  it('cuts off a key at once when it is taken back, and leaves the others alone', async () => {
    const lab = Buffer.from((await command('create', 'lab')).trim(), 'base64url');
    const [out, stays] = [await startPeer(), await startPeer()];
    await expect
      .poll(
        () =>
          enter(out, live.address, lab).then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true);
    const { connection: kept } = await enter(stays, live.address, key);
    const [connection] = out.getConnections();
    if (connection === undefined) throw new Error('not connected');
    await reserved(out);
    await command('revoke', 'lab');
    await closed(connection);
    await expect(enter(out, live.address, lab)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(kept.status).toBe('open');
  });

  it('tells a peer whose key is not taken what to do, which then does not ask again and again', async () => {
    const peer = await startPeer();
    const states: RelayLinkState[] = [];
    let asked = 0;
    const link = new RelayLink({
      node: peer,
      ways: [parseRelayAddress(live.address)],
      topic: TOPIC,
      reserve: () => Promise.resolve(),
      ping: () => Promise.resolve(),
      access: {
        key: () => {
          asked++;
          return null;
        },
        granted: () => undefined,
      },
      addresses: () => [],
      onEvent: () => undefined,
      onState: (state) => states.push(state),
      clock: systemClock,
      log: silentLog,
    });
    link.start();
    running.push(() => link.stop());
    await expect.poll(() => states.at(-1)?.status, { timeout: 8_000 }).toBe('offline');
    const state = states.at(-1);
    expect(state).toMatchObject({ message: 'this relay wants its access key: ask for a new invite' });
    expect((state as { retryAt: number }).retryAt - Date.now()).toBeGreaterThan(60_000);
    expect(asked).toBe(1);
    link.retryNow();
    await expect.poll(() => asked, { timeout: 8_000 }).toBe(2);
  });

  it('lets a peer in that was told a wrong key of it first, and once when it is begun twice', async () => {
    const peer = await startPeer();
    const states: RelayLinkState[] = [];
    let granted = 0;
    const link = new RelayLink({
      node: peer,
      ways: [parseRelayAddress(live.address)],
      topic: TOPIC,
      reserve: () => Promise.resolve(),
      ping: () => Promise.resolve(),
      access: { key: () => null, others: () => [new Uint8Array(16), key], granted: () => granted++ },
      addresses: () => [],
      onEvent: () => undefined,
      onState: (state) => states.push(state),
      clock: systemClock,
      log: silentLog,
    });
    link.start();
    link.start();
    running.push(() => link.stop());
    await expect.poll(() => states.at(-1)?.status, { timeout: 8_000 }).toBe('joined');
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'connecting', 'joined']);
    expect(granted).toBe(1);
  });

  it('tells its key to its own pages on loopback, and to nobody who may come from elsewhere', async () => {
    const config = async (headers: Record<string, string> = {}) => {
      const response = await fetch(new URL('/config', live.relay.urls.app), { headers });
      return (await response.json()) as RelayConfig;
    };
    const told = Buffer.from(key).toString('base64url');
    expect(await config({ 'sec-fetch-site': 'same-origin' })).toMatchObject({ accessKey: told, open: false });
    expect(await config({ 'sec-fetch-site': 'cross-site' })).toMatchObject({ accessKey: null });
    expect(await config({ 'x-forwarded-for': '203.0.113.9' })).toMatchObject({ accessKey: null });
    const shown = await startLiveRelay(['--demo', '--public-url', 'https://relay.example.org']);
    running.push(() => shown.close());
    const { port } = new URL(shown.relay.urls.origins.find((origin) => origin.includes('127.0.0.1')) ?? '');
    const answer = await fetch(`http://127.0.0.1:${port}/config`);
    expect(await answer.json()).toMatchObject({ accessKey: null });
  });

  function hello(mine: Uint8Array) {
    const { id } = accessSecrets(mine);
    return () => encodeAccess({ type: 'hello', minVersion: 1, maxVersion: 1, key: id, nonce: HELLO_NONCE });
  }
});

it('an open relay lets in who has no key', async () => {
  const live = await startLiveRelay(['--demo', '--open-relay']);
  running.push(() => live.close());
  expect(live.invite.access).toEqual({});
  const peer = await startPeer();
  const { connection } = await enter(peer, live.address, null);
  await reserved(peer);
  const { events } = await join(connection);
  await expect.poll(() => events).toHaveLength(1);
});

describe('a peer at a relay', () => {
  const PLENTY: CircuitLimits = { circuits: 100, bytesPerDay: 1e9 };

  async function startRelay(circuits: CircuitLimits, clock: Clock = systemClock) {
    const key = newAccessKey();
    const secrets = accessSecrets(key);
    const relay = await startRelayNode({
      privateKey: await generateKeyPair('Ed25519'),
      announce: ['/ip4/127.0.0.1/tcp/1/ws'],
      access: {
        find: (id) => (Buffer.compare(id, secrets.id) === 0 ? { name: 'a key', ...secrets } : undefined),
        open: false,
        ice: () => ({ ice: [{ urls: ['stun:s'] }], iceTtlMs: null }),
      },
      circuits,
      clock,
      log: silentLog,
    });
    running.push(() => relay.stop());
    const address = `/ip4/127.0.0.1/tcp/${String(relay.port)}/ws/p2p/${relay.libp2p.peerId.toString()}`;
    const goal = await startPeer();
    await enter(goal, address, key);
    await reserved(goal);
    const peer = await startPeer();
    const { connection, grant } = await enter(peer, address, key);
    return { peer, connection, grant, circuit: () => dial(peer, `${address}/p2p-circuit/p2p/${goal.id}`) };
  }

  it('is told of the STUN servers', async () => {
    const { grant } = await startRelay(PLENTY);
    expect(grant.ice).toEqual([{ urls: ['stun:s'] }]);
  });

  it('has so many circuits at once, and another when one has ended', async () => {
    const { circuit } = await startRelay({ ...PLENTY, circuits: 2 });
    const first = await circuit();
    const second = await circuit();
    await Promise.all([echo(first, 10), echo(second, 10)]);
    await expect(circuit()).rejects.toThrow();
    await first.close();
    await expect
      .poll(
        () =>
          circuit().then(
            () => true,
            () => false,
          ),
        { timeout: 8_000 },
      )
      .toBe(true);
  });

  it('may have so many bytes carried in a day, in both directions together', async () => {
    const { circuit } = await startRelay({ ...PLENTY, bytesPerDay: 200_000 });
    const first = await circuit();
    await echo(first, 50_000);
    const ended = closed(first);
    await expect(echo(first, 150_000)).rejects.toThrow();
    await ended;
    await expect(circuit()).rejects.toThrow();
  });

  it('may have more the next day', async () => {
    let later = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + later };
    const { circuit } = await startRelay({ ...PLENTY, bytesPerDay: 20_000 }, clock);
    await expect(echo(await circuit(), 50_000)).rejects.toThrow();
    await expect(circuit()).rejects.toThrow();
    later = 24 * 60 * 60 * 1000;
    await echo(await circuit(), 5_000);
  });

  it('is dropped when it joins and joins', async () => {
    const { connection } = await startRelay(PLENTY);
    const { over, stream, events } = await join(connection);
    await expect.poll(() => events).toHaveLength(1);
    const message = new TextEncoder().encode(JSON.stringify({ type: 'join', topic: TOPIC, addresses: [] }));
    for (let i = 0; i < 100; i++) await stream.send(message).catch(() => undefined);
    await over;
    expect(events.length).toBeLessThan(60);
  });
});

type Saying = (heard: Uint8Array | undefined) => Uint8Array;

/** The right answer to the relay's challenge, after `hello`. */
function proofOf(client: PeerId, relay: PeerId, key: Uint8Array): Saying {
  return (heard) => {
    const challenge = decodeAccessAnswer(heard ?? new Uint8Array());
    if (challenge.type !== 'challenge') throw new Error('no challenge');
    const secrets = accessSecrets(key);
    const { id } = secrets;
    const nonces = { clientNonce: HELLO_NONCE, relayNonce: challenge.nonce };
    return encodeAccess({ type: 'proof', mac: accessProof(secrets, { version: 1, id, client, relay, ...nonces }) });
  };
}

/** Says what it is told to on the access protocol. @returns what was said, and the last answer */
async function saying(connection: Connection, words: readonly Saying[]) {
  const stream = await connection.newStream(PROTOCOLS.access);
  const channel = messageChannel(stream, MAX_ACCESS_MESSAGE_BYTES, AbortSignal.timeout(5_000));
  const said: Uint8Array[] = [];
  let heard: Uint8Array | undefined;
  for (const word of words) {
    const bytes = word(heard);
    said.push(bytes);
    await channel.write(bytes);
    heard = await channel.read();
  }
  if (heard === undefined) throw new Error('nothing heard');
  return { said, answer: decodeAccessAnswer(heard) };
}
