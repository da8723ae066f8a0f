import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { JOIN_TIMEOUT_MS } from '../../src/mesh/membership/membership.ts';
import {
  bitswapWant,
  besidesNo,
  BITSWAP,
  channelOn,
  closed,
  joinChannel,
  joinHonestly,
  mcpRequest,
  REPLICA_HELLO,
  speak,
  startHostileNode,
  type HostileNode,
} from '../support/hostile-node.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { startTestNode } from '../support/room-nodes.ts';

/** The limit itself, and what a loaded machine may add to it. */
const CLOSED_WITHIN_MS = JOIN_TIMEOUT_MS + 1_500;

const running: (() => unknown)[] = [];
let live: LiveRelay;
/** the CID of a record that the relay's peer holds, and words of it */
let known: { cid: string; title: string };

beforeAll(async () => {
  live = await startLiveRelay();
  const { gateway, owner } = live;
  const call = async (tool: string, args: unknown) => {
    const answer = await gateway.tools.call({ tool, args, principal: owner, place: gateway.self });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.value;
  };
  await call('collect_literature', { query: 'sleep', max_results: 3 });
  const { hits } = (await call('search_index', { query: 'sleep', top_k: 1 })) as {
    hits: { record_cid: string; title: string }[];
  };
  const [hit] = hits;
  if (hit === undefined) throw new Error('nothing to want');
  known = { cid: hit.record_cid, title: hit.title };
}, 60_000);
afterAll(() => live.close());
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (stop) => stop()));
});

async function hostile(...args: Parameters<typeof startHostileNode>): Promise<HostileNode> {
  const node = await startHostileNode(...args);
  running.push(() => node.stop());
  return node;
}

/** The relay's lines about refusing this peer. */
const refusals = (peer: string) => live.log.filter((line) => line.includes(' refused ') && line.includes(peer));

const ECHO = mcpRequest('tools/call', { name: 'echo', arguments: { text: 'let me in' } });
const TICKET = mcpRequest('tabmesh/ticket', {});
const ATTEMPTS: readonly (readonly [string, string, () => Uint8Array, RegExp])[] = [
  ['calls a tool', PROTOCOLS.mcp, () => ECHO, /let me in/],
  ['lists the tools', PROTOCOLS.mcp, () => mcpRequest('tools/list', {}), /collect_literature/],
  ['asks for a ticket', PROTOCOLS.mcp, () => TICKET, /tmf_/],
  ['asks for the replica', PROTOCOLS.replica, () => REPLICA_HELLO, /./s],
];

describe("at the relay's peer of a room", () => {
  it.each(ATTEMPTS)('a member who %s is answered (the positive control)', async (_what, protocol, bytes, answer) => {
    const member = await hostile();
    const connection = await member.dial(live.roomPeer);
    await joinHonestly(member, connection, live.invite);
    const spoken = await speak(connection, protocol, bytes());
    await spoken.says(answer);
    expect(refusals(member.peer)).toEqual([]);
  });

  it('a member who wants a block that he knows gets it', async () => {
    const member = await hostile();
    const connection = await member.dial(live.roomPeer);
    await joinHonestly(member, connection, live.invite);
    await speak(connection, BITSWAP, bitswapWant(known.cid));
    await expect.poll(() => member.bitswapped(), { timeout: 5_000 }).toContain(known.title);
  });

  it('strangers who try the same are refused, logged and closed, and nothing runs', async () => {
    const before = await live.served();
    const attempts = [
      ...ATTEMPTS.map(([what, protocol, bytes]) => ({ what, protocol, bytes: bytes() })),
      { what: 'wants a block that he knows', protocol: BITSWAP, bytes: bitswapWant(known.cid) },
    ];
    // together, since each of them lasts as long as an unproven connection may
    const outcomes = await Promise.all(
      attempts.map(async ({ what, protocol, bytes }) => {
        const stranger = await hostile();
        const connection = await stranger.dial(live.roomPeer);
        const since = performance.now();
        const spoken = await speak(connection, protocol, bytes);
        const inTime = (await closed(connection, since)) < CLOSED_WITHIN_MS;
        const logged = refusals(stranger.peer).some((line) => line.includes(protocol));
        return { what, inTime, logged, answer: besidesNo(spoken) + stranger.bitswapped() };
      }),
    );
    expect(outcomes).toEqual(attempts.map(({ what }) => ({ what, inTime: true, logged: true, answer: '' })));
    expect(await live.served()).toEqual(before);
  });

  it('a stranger who says nothing at all is closed, too', async () => {
    const stranger = await hostile();
    const connection = await stranger.dial(live.roomPeer);
    expect(await closed(connection)).toBeLessThan(CLOSED_WITHIN_MS);
    expect(refusals(stranger.peer)).toHaveLength(1);
  });
});

describe('a stranger who has overheard a join', () => {
  /** A member's whole join with the relay's peer, written down. */
  async function overhear() {
    const member = await hostile();
    const connection = await member.dial(live.roomPeer);
    const { transcript } = await joinHonestly(member, connection, live.invite);
    const spoken = await speak(connection, PROTOCOLS.mcp, ECHO);
    await spoken.says(/let me in/);
    await connection.close();
    return { member, transcript };
  }

  /** Says the given messages in a join of his own, then calls a tool. */
  async function sayAgain(node: HostileNode, messages: readonly (Uint8Array | undefined)[]) {
    const before = await live.served();
    const connection = await node.dial(live.roomPeer);
    const since = performance.now();
    const channel = await joinChannel(connection);
    const spoken = await speak(connection, PROTOCOLS.mcp, ECHO);
    const heard: Uint8Array[] = [];
    const listening = (async () => {
      for (;;) heard.push(await channel.read());
    })().catch(() => undefined);
    for (const message of messages) await channel.write(message ?? new Uint8Array()).catch(() => undefined);
    expect(await closed(connection, since)).toBeLessThan(CLOSED_WITHIN_MS);
    await listening;
    expect(besidesNo(spoken)).toBe('');
    expect(await live.served()).toEqual(before);
    expect(refusals(node.peer).join('\n')).toContain('membership not proven');
    return heard;
  }

  it('replays it word by word, in vain', async () => {
    const { transcript } = await overhear();
    const heard = await sayAgain(await hostile(), transcript.said);
    // a hello, which has a nonce and nothing of the secret; no proof
    expect(heard).toHaveLength(1);
  });

  it('replays it under the very key of the member, in vain', async () => {
    const { member, transcript } = await overhear();
    await member.stop();
    const heard = await sayAgain(await hostile(member.privateKey), transcript.said);
    expect(heard).toHaveLength(1);
  });

  it("says the relay's own proof back to it, in vain", async () => {
    const { transcript } = await overhear();
    const [hello, , identity] = transcript.said;
    const [, itsProof] = transcript.heard;
    expect(await sayAgain(await hostile(), [hello, itsProof, identity])).toHaveLength(1);
  });
});

describe('a stranger whom a member dials', () => {
  /** A real member, and a stranger who does `as` with his join. */
  async function lured(as: (stranger: HostileNode, member: ReturnType<typeof channelOn>) => Promise<void>) {
    const stranger = await hostile();
    const acted = Promise.withResolvers<undefined>();
    await stranger.libp2p.handle(PROTOCOLS.join, (stream) => {
      as(stranger, channelOn(stream)).then(() => {
        acted.resolve(undefined);
      }, acted.reject);
    });
    const { node } = await startTestNode(live.invite, { joinTimeoutMs: JOIN_TIMEOUT_MS });
    running.push(() => node.stop());
    const { membership } = node.libp2p.services;
    const connection = await node.libp2p.dial(stranger.libp2p.getMultiaddrs());
    const proven = membership.proven(connection);
    await expect(proven).rejects.toMatchObject({ name: 'TabmeshError' });
    await closed(connection);
    expect(membership.links()).toEqual([]);
    expect(membership.refused).toBe(1);
    await acted.promise;
    return { stranger, reason: await proven.catch((error: unknown) => error as Error) };
  }

  it('sends her proof back to her, in vain', async () => {
    const { reason } = await lured(async (_stranger, member) => {
      const hello = await member.read();
      // any nonce but hers, which would be refused before
      await member.write(withOtherNonce(hello));
      await member.write(await member.read());
    });
    expect(reason).toMatchObject({
      code: 'not_a_member',
      message: expect.stringContaining('proof does not match') as string,
    });
  });

  it('sends her hello back to her, in vain', async () => {
    const { reason } = await lured(async (_stranger, member) => {
      await member.write(await member.read());
    });
    expect(reason).toMatchObject({ code: 'not_a_member', message: expect.stringContaining('sent back') as string });
  });

  it('hands her words on to another member as his own, in vain', async () => {
    const before = await live.served();
    const { stranger } = await lured(async (node, member) => {
      const connection = await node.dial(live.roomPeer);
      const other = await joinChannel(connection);
      const pass = async (from: typeof member, to: typeof member) => {
        for (;;) await to.write(await from.read());
      };
      const spoken = await speak(connection, PROTOCOLS.mcp, ECHO);
      await Promise.allSettled([pass(member, other), pass(other, member)]);
      await closed(connection);
      expect(besidesNo(spoken)).toBe('');
    });
    await expect.poll(() => refusals(stranger.peer).join('\n')).toContain('the proof does not match the room');
    expect(await live.served()).toEqual(before);
  });

  function withOtherNonce(hello: Uint8Array): Uint8Array {
    const changed = hello.slice();
    // the nonce is the 32 bytes after its key and length (dag-cbor: "nonce", 0x58 0x20)
    const at = Buffer.from(changed).indexOf(Buffer.from([...new TextEncoder().encode('nonce'), 0x58, 0x20]));
    expect(at).toBeGreaterThan(0);
    changed.fill(7, at + 7, at + 7 + 32);
    return changed;
  }
});
