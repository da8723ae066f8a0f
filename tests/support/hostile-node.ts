import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { CID } from 'multiformats/cid';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { issueCertificate, verifyCertificate } from '../../src/mesh/identity/certificate.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import type { RoomSecret } from '../../src/mesh/identity/room-secret.ts';
import { deriveRoomKeys } from '../../src/mesh/identity/room-secret.ts';
import { runJoin, type JoinChannel } from '../../src/mesh/membership/join.ts';
import type { Proven } from '../../src/mesh/rpc/member-links.ts';
import { MAX_JOIN_MESSAGE_BYTES } from '../../src/mesh/membership/join-messages.ts';
import { messageChannel } from '../../src/mesh/membership/message-channel.ts';
import { webSocketsWithPath } from '../../src/mesh/node/web-sockets.ts';
import { encodeFrame } from '../../src/mesh/rpc/frames.ts';
import { REQUEST_META } from '../../src/mesh/rpc/mcp-wire.ts';
import { errorResponse } from '../../src/mesh/rpc/responses.ts';
import { refusal } from '../../src/mesh/rpc/tokens.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';

export const BITSWAP = '/ipfs/bitswap/1.2.0';
/** Far longer than an unproven connection may live: a test that gets here has found one that lives on. */
const GIVE_UP_MS = 15_000;

/**
 * A libp2p node with no guard of its own: it speaks whatever it is told to, with or without a right to. It dials
 * WebSockets and circuits, and collects what others send it by Bitswap.
 */
export interface HostileNode {
  readonly libp2p: Libp2p;
  readonly privateKey: PrivateKey;
  readonly peer: PeerId;
  /** where it listens */
  readonly address: string;
  /** all that has come in by Bitswap, as text */
  bitswapped(): string;
  dial(address: string): Promise<Connection>;
  stop(): Promise<void>;
}

export async function startHostileNode(privateKey?: PrivateKey): Promise<HostileNode> {
  const key = privateKey ?? (await generateKeyPair('Ed25519'));
  const received: string[] = [];
  const libp2p = await createLibp2p({
    privateKey: key,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSocketsWithPath(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  });
  await libp2p.handle(
    BITSWAP,
    (stream) => {
      stream.addEventListener('message', (event) => received.push(textOf(event.data.subarray())));
    },
    { runOnLimitedConnection: true },
  );
  const [address] = libp2p.getMultiaddrs();
  return {
    libp2p,
    privateKey: key,
    peer: peerIdFromPrivateKey(key).toString() as PeerId,
    address: address?.toString() ?? '',
    bitswapped: () => received.join(''),
    // without force it would take the connection that an earlier attempt has left
    dial: (to) => libp2p.dial(multiaddr(to), { force: true, signal: AbortSignal.timeout(GIVE_UP_MS) }),
    stop: () => Promise.resolve(libp2p.stop()),
  };
}

/** Resolves with the milliseconds from `since` to the connection's end. @throws when it lives on */
export function closed(connection: Connection, since = performance.now()): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('the connection was not closed'));
    }, GIVE_UP_MS);
    const done = () => {
      clearTimeout(timer);
      resolve(performance.now() - since);
    };
    if (connection.status !== 'open') done();
    else connection.addEventListener('close', done, { once: true });
  });
}

/** A stream that has been spoken to. */
export interface Spoken {
  /** all that came back on it, as text */
  answer(): string;
  /** resolves when `pattern` is in what came back */
  says(pattern: RegExp): Promise<void>;
}

/** Opens a stream of any protocol and sends bytes, without asking whether it may. */
export async function speak(connection: Connection, protocol: string, bytes: Uint8Array): Promise<Spoken> {
  const stream: Stream = await connection.newStream(protocol, { runOnLimitedConnection: true });
  let answer = '';
  const waiting = new Set<() => void>();
  stream.addEventListener('message', (event) => {
    answer += textOf(event.data.subarray());
    for (const check of waiting) check();
  });
  stream.send(bytes);
  return {
    answer: () => answer,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`it said ${JSON.stringify(answer)}`));
        }, GIVE_UP_MS);
        const check = () => {
          if (!pattern.test(answer)) return;
          waiting.delete(check);
          clearTimeout(timer);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** What was said besides the one word that a stranger gets who wants to call tools: that it may not. */
export function besidesNo(spoken: Spoken): string {
  const said = spoken.answer();
  const no = errorResponse(null, refusal('unauthorized', 'this connection has not proven membership of the room'));
  return said === textOf(encodeFrame(JSON.stringify(no))) ? '' : said;
}

/** What a caller of tools sends: one framed JSON-RPC request. */
export function mcpRequest(method: string, params: Record<string, unknown>): Uint8Array {
  const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: REQUEST_META } };
  return encodeFrame(new TextEncoder().encode(JSON.stringify(message)));
}

/** A replica frame (channel 0) with something that is no message: a member's is refused too, after presence was sent. */
export const REPLICA_HELLO: Uint8Array = encodeFrame(Uint8Array.of(0, 0));

/**
 * A Bitswap message that wants one block, length-prefixed (specs.ipfs.tech/bitswap-protocol, version 1.2.0):
 * `Message{wantlist: {entries: [{block, priority: 1, wantType: Block}], full: true}}`.
 */
export function bitswapWant(cid: string): Uint8Array {
  const bytes = CID.parse(cid).bytes;
  const entry = Uint8Array.of(0x0a, bytes.byteLength, ...bytes, 0x10, 1);
  const wantlist = Uint8Array.of(0x0a, entry.byteLength, ...entry, 0x10, 1);
  const message = Uint8Array.of(0x0a, wantlist.byteLength, ...wantlist);
  return Uint8Array.of(message.byteLength, ...message);
}

/** One side's words of a join, message by message. */
export interface Transcript {
  readonly said: Uint8Array[];
  readonly heard: Uint8Array[];
}

/** Opens the join protocol's stream; `write` and `read` are whole messages. */
export async function joinChannel(connection: Connection): Promise<JoinChannel> {
  return channelOn(await connection.newStream(PROTOCOLS.join, { runOnLimitedConnection: true }));
}

/** The same on a stream that the other side has opened. */
export function channelOn(stream: Stream): JoinChannel {
  return messageChannel(stream, MAX_JOIN_MESSAGE_BYTES, AbortSignal.timeout(GIVE_UP_MS));
}

/** Joins as a member does, and writes down what was said. */
export async function joinHonestly(
  node: HostileNode,
  connection: Connection,
  room: RoomSecret,
): Promise<{ readonly proven: Proven; readonly transcript: Transcript }> {
  const device = await loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });
  const channel = await joinChannel(connection);
  const transcript: Transcript = { said: [], heard: [] };
  const proven = await runJoin(
    'initiator',
    {
      write: async (bytes) => {
        transcript.said.push(bytes.slice());
        await channel.write(bytes);
      },
      read: async () => {
        const bytes = await channel.read();
        transcript.heard.push(bytes.slice());
        return bytes;
      },
    },
    { self: node.peer, remote: connection.remotePeer.toString() as PeerId },
    {
      room: room.room,
      epoch: room.epoch,
      joinKey: deriveRoomKeys(room).joinProof,
      identity: {
        certificate: await issueCertificate(device, node.peer, room.room),
        kind: 'tab',
        protocols: [BITSWAP],
      },
      verifyCertificate: (bytes, remote) => verifyCertificate(bytes, remote, room.room),
    },
  );
  return { proven, transcript };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
