import { afterEach, expect, it } from 'vitest';
import { newRoom } from '../support/new-room.ts';
import { link, startTestNode } from '../support/room-nodes.ts';

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop();
});

async function pair() {
  const room = newRoom();
  const [a, b] = await Promise.all([startTestNode(room), startTestNode(room)]);
  running.push(a.node, b.node);
  const connection = await link(a.node, b.address);
  return { ping: a.node.libp2p.services.ping, b: b.node, peer: connection.remotePeer };
}

it('a peer is pinged by one at a time, and all who ask meanwhile get the answer', async () => {
  const { ping, peer } = await pair();
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ping.ping(peer, { signal: new AbortController().signal })),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toBeGreaterThanOrEqual(0);
  }
});

it('who gives up waiting leaves the others theirs', async () => {
  const { ping, peer } = await pair();
  const hasty = new AbortController();
  const given = ping.ping(peer, { signal: hasty.signal });
  const patient = ping.ping(peer);
  hasty.abort(new Error('too long'));
  await expect(given).rejects.toThrow('too long');
  expect(await patient).toBeGreaterThanOrEqual(0);
});

it('a peer that is gone is told to all who ask', async () => {
  const { ping, peer, b } = await pair();
  await b.stop();
  const outcomes = await Promise.allSettled([ping.ping(peer), ping.ping(peer)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
