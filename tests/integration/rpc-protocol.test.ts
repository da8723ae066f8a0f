import type { Connection } from '@libp2p/interface';
import { afterEach, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../src/contracts/versions.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createMcpServer } from '../../src/mesh/rpc/mcp-server.ts';
import type { RpcQuotas } from '../../src/mesh/rpc/quotas.ts';
import { MEMBER_QUOTAS } from '../../src/mesh/rpc/quotas.ts';
import { RpcSessions } from '../../src/mesh/rpc/sessions.ts';
import { closed, joinHonestly, mcpRequest, speak, startHostileNode } from '../support/hostile-node.ts';
import { countedTools } from '../support/mcp-end.ts';
import { newRoom } from '../support/new-room.ts';
import { startTestNode } from '../support/room-nodes.ts';

const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

/** A headless peer that serves `echo`, and somebody with a connection to it. */
async function servedPeer(quotas: Partial<RpcQuotas> = {}) {
  const room = newRoom();
  const { node, address } = await startTestNode(room, { joinTimeoutMs: 1_000 });
  running.push(() => node.stop());
  const tools = countedTools();
  const sessions = new RpcSessions({
    node: node.libp2p,
    membership: node.libp2p.services.membership,
    serve: createMcpServer(tools, () => 'served', '1', {}),
    clock: systemClock,
    quotas: { ...MEMBER_QUOTAS, ...quotas },
  });
  await sessions.start();
  const other = await startHostileNode();
  running.push(() => other.stop());
  return { room, sessions, tools, other, connection: await other.dial(address) };
}

const call = mcpRequest('tools/call', { name: 'echo', arguments: {} });
const ask = (connection: Connection) => speak(connection, PROTOCOLS.mcp, call);

describe('/mcp+p2p over real sockets', () => {
  it('FR3 is not spoken in a version that does not exist', async () => {
    const { room, other, connection } = await servedPeer();
    await joinHonestly(other, connection, room);
    for (const forged of ['/mcp+p2p/9.9.9', '/mcp+p2p/1.0', '/mcp+p2p/1.0.0/']) {
      await expect(speak(connection, forged, call)).rejects.toThrow(/protocol/i);
    }
    await (await ask(connection)).says(/"structuredContent"/);
  });

  it('FR10 tells a stranger that it is unauthorized, runs nothing for it and closes', async () => {
    const { tools, connection } = await servedPeer();
    const end = closed(connection);
    const spoken = await ask(connection);
    await spoken.says(/"message":"unauthorized".*"token":"unauthorized"/);
    await end;
    expect(tools.calls).toEqual([]);
  });

  it('AB11 (without UCAN, which comes later): a peer id that is authenticated is no right to call', async () => {
    const { room, tools, other, connection } = await servedPeer();
    const stranger = await ask(connection);
    const end = closed(connection);
    await end;
    expect(stranger.answer()).not.toContain('result');
    expect(tools.calls).toEqual([]);
    const again = await other.dial(connection.remoteAddr.toString());
    const { proven } = await joinHonestly(other, again, room);
    await (await ask(again)).says(/"structuredContent"/);
    expect(proven.peer).toBe(again.remotePeer.toString());
    expect(tools.calls).toMatchObject([{ principal: { kind: 'device', peer: other.peer } }]);
  });

  it('AB10 refuses a stream more than its quota, on whichever connection, and serves those it has', async () => {
    const { room, sessions, tools, other, connection } = await servedPeer({ streams: 3 });
    await joinHonestly(other, connection, room);
    const second = await other.dial(connection.remoteAddr.toString());
    await joinHonestly(other, second, room);
    const spoken = [await ask(connection), await ask(connection), await ask(second)];
    for (const each of spoken) await each.says(/"structuredContent"/);
    await (await ask(second)).says(/"stream_quota_exceeded"/);
    await expect.poll(() => sessions.inbound).toBe(3);
    expect(tools.calls).toHaveLength(3);
  });
});
