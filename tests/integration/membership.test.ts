import { multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { afterEach, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { Log } from '../../src/lib/log.ts';
import { silentLog } from '../../src/lib/log.ts';
import { newRoom } from '../support/new-room.ts';
import { link, startStranger, startTestNode } from '../support/room-nodes.ts';

const BITSWAP = '/ipfs/bitswap/1.2.0';
const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop();
});

async function member(...args: Parameters<typeof startTestNode>) {
  const started = await startTestNode(...args);
  running.push(started.node);
  return started;
}

async function block(text: string) {
  const bytes = new TextEncoder().encode(text);
  return { cid: CID.createV1(0x55, await sha256.digest(bytes)), bytes };
}

async function read(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** Collects what the log says was refused. */
function refusals() {
  const seen: Record<string, unknown>[] = [];
  const log: Log = {
    ...silentLog,
    warn: (event, fields) => {
      if (event === 'refused') seen.push(fields ?? {});
    },
  };
  return { seen, log };
}

describe('membership on real connections', () => {
  it('lets members of one room exchange blocks', async () => {
    const room = newRoom();
    const a = await member(room);
    const b = await member(room);
    const { cid, bytes } = await block('for members');
    await a.blockstore.put(cid, bytes);
    await link(b.node, a.address);
    expect(await read(b.node.blockstore.get(cid, { signal: AbortSignal.timeout(5_000) }))).toBe('for members');
  });

  it('serves every one of many streams once', async () => {
    const room = newRoom();
    const a = await member(room);
    const b = await member(room);
    let served = 0;
    await a.node.libp2p.handle('/test/echo', (stream) => {
      served++;
      stream.addEventListener('message', (event) => stream.send(event.data));
    });
    const connection = await link(b.node, a.address);
    for (let i = 0; i < 5; i++) {
      const stream = await connection.newStream('/test/echo');
      const echoed = new Promise((resolve) => {
        stream.addEventListener('message', resolve, { once: true });
      });
      stream.send(new Uint8Array([i]));
      await echoed;
      await stream.close();
    }
    expect(served).toBe(5);
  });

  it('tells a stranger only what strangers may speak', async () => {
    const room = newRoom();
    const a = await member(room);
    const stranger = await startStranger();
    running.push(stranger);
    const identified = new Promise<string[]>((resolve) => {
      stranger.addEventListener('peer:identify', (event) => resolve(event.detail.protocols), { once: true });
    });
    await stranger.dial(multiaddr(a.address));
    const protocols = await identified;
    expect(protocols).toContain(PROTOCOLS.join);
    expect(protocols).not.toContain(BITSWAP);
    expect(protocols.filter((protocol) => protocol.startsWith('/mcp'))).toEqual([]);
  });

  it.each([BITSWAP, PROTOCOLS.join, '/test/tools'])(
    'runs nothing of %s for a stranger and closes on him',
    async (protocol) => {
      const room = newRoom();
      const { seen, log } = refusals();
      const a = await member(room, { log });
      let ran = false;
      await a.node.libp2p.handle('/test/tools', () => {
        ran = true;
      });
      const stranger = await startStranger();
      running.push(stranger);
      const connection = await stranger.dial(multiaddr(a.address));
      const closed = new Promise((resolve) => {
        connection.addEventListener('close', resolve, { once: true });
      });
      const stream = await connection.newStream(protocol);
      stream.send(new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"tools/list"}'));
      await closed;
      expect(ran).toBe(false);
      expect(a.node.libp2p.services.membership.links()).toEqual([]);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen[0]).toMatchObject({ peer: stranger.peerId.toString() });
    },
  );

  it('gives a known CID to no member of another room', async () => {
    const a = await member(newRoom());
    const other = await member(newRoom());
    const { cid, bytes } = await block('not yours');
    await a.blockstore.put(cid, bytes);
    await expect(link(other.node, a.address)).rejects.toBeInstanceOf(TabmeshError);
    expect(a.node.libp2p.services.membership.links()).toEqual([]);
    await expect(read(other.node.blockstore.get(cid, { signal: AbortSignal.timeout(1_000) }))).rejects.toThrow();
    expect(await other.blockstore.has(cid)).toBe(false);
  });

  it('takes a member for a relay only where a relay is known to be', async () => {
    const room = newRoom();
    const relay = await member(room);
    const trusting = await member(room);
    const careful = await member(room, { isRelayAt: () => false });
    await link(trusting.node, relay.address);
    await link(careful.node, relay.address);
    const kinds = [trusting, careful].map(({ node }) => node.libp2p.services.membership.links()[0]?.member.kind);
    expect(kinds).toEqual(['relay', 'tab']);
  });

  it('forgets the proof with the connection', async () => {
    const room = newRoom();
    const a = await member(room);
    const b = await member(room);
    const connection = await link(b.node, a.address);
    const gone = new Promise((resolve) => {
      a.node.libp2p.addEventListener('peer:disconnect', resolve, { once: true });
    });
    await connection.close();
    await gone;
    expect(a.node.libp2p.services.membership.links()).toEqual([]);
    expect(b.node.libp2p.services.membership.links()).toEqual([]);
  });
});
