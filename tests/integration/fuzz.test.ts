import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { encodeJoin } from '../../src/mesh/membership/join-messages.ts';
import { encodeEpochRequest } from '../../src/mesh/roster/epoch-messages.ts';
import { encodeFrame } from '../../src/mesh/rpc/frames.ts';
import { createMcpServer } from '../../src/mesh/rpc/mcp-server.ts';
import { RpcSessions } from '../../src/mesh/rpc/sessions.ts';
import { PROTOCOL_TOKENS } from '../../src/mesh/rpc/tokens.ts';
import { chance, FUZZ_SEED, pieces, spoil, type Chance } from '../support/fuzz.ts';
import { closed, joinHonestly, startHostileNode, type HostileNode } from '../support/hostile-node.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { countedTools, request } from '../support/mcp-end.ts';
import { newRoom } from '../support/new-room.ts';
import { startTestNode } from '../support/room-nodes.ts';

const seed = `seed ${String(FUZZ_SEED)}`;
const cleanups = new Cleanups();
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(async () => {
  await cleanups.run();
  process.off('unhandledRejection', note);
});

async function hostile(): Promise<HostileNode> {
  const node = await startHostileNode();
  cleanups.add(() => node.stop());
  return node;
}

/** Opens a stream; undefined when the other side will have none of it any more. */
const open = (connection: Connection, protocol: string): Promise<Stream | undefined> =>
  connection.newStream(protocol, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);

/** Sends bytes in pieces, until they are sent or the stream has ended. */
function sayInPieces(by: Chance, stream: Stream, bytes: Uint8Array): void {
  try {
    for (const piece of pieces(by, bytes, by.oneOf([3, 50, 2_000]))) stream.send(piece);
  } catch {
    // it was ended under us, as it should be
  }
}

/** Calls again and again while something else goes on. @returns how many calls were answered. @throws what a call throws */
async function meanwhile(call: () => Promise<unknown>, work: Promise<void>): Promise<number> {
  const going = new AbortController();
  let answered = 0;
  const calling = (async () => {
    while (!going.signal.aborted) {
      await call();
      answered++;
    }
  })();
  try {
    await Promise.race([work, calling]);
    await work;
  } finally {
    going.abort();
  }
  await calling;
  return answered;
}

describe('a member that sends whatever it likes', () => {
  it(`is told a token and loses its stream; others are served, and nothing is left behind (${seed})`, async () => {
    const room = newRoom();
    const { node, address } = await startTestNode(room, { joinTimeoutMs: 10_000 });
    cleanups.add(() => node.stop());
    const sessions = new RpcSessions({
      node: node.libp2p,
      membership: node.libp2p.services.membership,
      serve: createMcpServer(countedTools(), () => 'served', '1', {}),
      clock: systemClock,
    });
    await sessions.start();
    const honest = await startTestNode(room);
    cleanups.add(() => honest.node.stop());
    const caller = new RpcSessions({
      node: honest.node.libp2p,
      membership: honest.node.libp2p.services.membership,
      serve: () => Promise.reject(new Error('nothing here')),
      clock: systemClock,
    });
    const link = await honest.node.libp2p.dial(multiaddr(address));
    const { peer } = await honest.node.libp2p.services.membership.proven(link);
    const echo = () =>
      caller.request(peer, 'tools/call', {
        ...request(0, '', { name: 'echo', arguments: { text: 'hi' } }).params,
      });

    const by = chance('live frames');
    const node2 = await hostile();
    const connection = await node2.dial(address);
    await joinHonestly(node2, connection, room);
    const tokens = new Set<string>();
    let largest = 0;
    const attack = async () => {
      for (let round = 0; round < 40; round++) {
        // side by side, so that their pieces are interleaved on the connection
        const streams = await Promise.all(Array.from({ length: 5 }, () => open(connection, PROTOCOLS.mcp)));
        await Promise.all(
          streams.map(async (stream) => {
            if (stream === undefined) return;
            let heard = '';
            stream.addEventListener(
              'message',
              ({ data }) => (heard += Buffer.from(data.subarray()).toString('latin1')),
            );
            for (let i = 0; i < 4; i++) {
              const message = by.oneOf([
                request(i, 'ping'),
                request(i, 'tools/list'),
                { jsonrpc: '2.0', id: 1, result: 1 },
              ]);
              sayInPieces(by, stream, spoil(by, encodeFrame(JSON.stringify(message))));
              largest = Math.max(largest, sessions.bufferedBytes);
              await new Promise((resolve) => setImmediate(resolve));
            }
            // a frame that has begun and does not go on
            if (by.below(3) === 0) sayInPieces(by, stream, Uint8Array.of(0, 1, 0, 0, 1, 2, 3));
            else await stream.close({ signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
            for (const [, token] of heard.matchAll(/"token":"(\w+)"/g)) tokens.add(token ?? '');
            stream.abort(new Error('the next one'));
          }),
        );
      }
    };
    const answered = await meanwhile(echo, attack());
    expect(answered, seed).toBeGreaterThan(20);
    expect([...tokens], seed).toEqual(expect.arrayContaining(['payload_not_object', 'declared_frame_too_large']));
    for (const token of tokens) expect(PROTOCOL_TOKENS, seed).toContain(token);
    // its own stream is the honest one's
    await expect.poll(() => sessions.inbound, { timeout: 5_000 }).toBe(1);
    expect(sessions.bufferedBytes, seed).toBe(0);
    expect(largest, seed).toBeLessThan(2 * 1024 * 1024);
    expect(unhandled, seed).toEqual([]);
  }, 30_000);
});

describe('strangers that say whatever they like', () => {
  let live: LiveRelay;
  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
  }, 30_000);

  it(`never get in, and disturb nobody (${seed})`, async () => {
    const member = await startMember(live, cleanups);
    const place = live.gateway.self;
    const offersEcho = () =>
      member.room.mesh
        .list()
        .some(({ place: { peer }, tools }) => peer === place && tools.some(({ name }) => name === 'echo'));
    await expect.poll(offersEcho, { timeout: 15_000 }).toBe(true);
    const echo = async () => {
      const answer = await member.room.tools.call({
        tool: 'echo',
        args: { text: 'hi' },
        principal: { kind: 'device', device: member.room.replica.device, peer: member.peer },
        place,
      });
      if (!answer.ok) throw new Error(answer.error.message);
    };
    const by = chance('live joins');
    const hello = encodeJoin({ type: 'hello', minVersion: 1, maxVersion: 1, epoch: 1, nonce: by.bytes(32) });
    const honest: readonly (readonly [string, Uint8Array])[] = [
      [PROTOCOLS.join, encodeFrame(hello)],
      [PROTOCOLS.join, encodeFrame(encodeJoin({ type: 'proof', mac: by.bytes(32) }))],
      [PROTOCOLS.epoch, encodeFrame(encodeEpochRequest(by.bytes(200)))],
      [PROTOCOLS.mcp, encodeFrame(JSON.stringify(request(1, 'tools/list')))],
    ];
    const before = live.log.length;
    const strangers = await Promise.all([hostile(), hostile(), hostile(), hostile()]);
    const attack = async (stranger: HostileNode) => {
      for (let round = 0; round < 8; round++) {
        const connection = await stranger.dial(live.roomPeer).catch(() => undefined);
        if (connection === undefined) continue;
        const end = closed(connection);
        for (let i = 0; i < 10; i++) {
          const [protocol, message] = by.oneOf(honest);
          const stream = await open(connection, protocol);
          if (stream === undefined) break;
          for (let repeat = 0; repeat <= by.below(20); repeat++) sayInPieces(by, stream, spoil(by, message));
        }
        if (by.below(2) === 0) await connection.close().catch(() => undefined);
        await end;
      }
    };
    const answered = await meanwhile(
      echo,
      Promise.all(strangers.map(attack)).then(() => undefined),
    );
    expect(answered, seed).toBeGreaterThan(20);
    expect(
      live.log.slice(before).filter((line) => line.includes(' error ')),
      seed,
    ).toEqual([]);
    const ids = new Set<string>(strangers.map(({ peer }) => peer));
    expect(
      member.room.mesh.peers().filter(({ peer }) => ids.has(peer)),
      seed,
    ).toEqual([]);
    expect(unhandled, seed).toEqual([]);
  }, 60_000);
});
