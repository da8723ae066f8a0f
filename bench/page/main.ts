import { takeInvite } from '../../src/app/state/invite.ts';
import { mountApp } from '../../src/app/mount.ts';
import type { RoomClient } from '../../src/contracts/app.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { openHost } from '../../src/peer/tab.ts';
import { measure } from '../mesh/measure.ts';
import { createBulk } from './bulk.ts';
import { roomNode } from './observed-node.ts';
import { createRawChannel } from './raw-channel.ts';
import { createStreamBulk } from './stream-bulk.ts';
import { createStreamEcho } from './stream-echo.ts';

// The product's whole app, so that what its interface does on each call is in the numbers, with handles for the bench.
let room: RoomClient | undefined;
let longest = 0;

globalThis.bench = {
  ...createRawChannel(),
  ...createStreamEcho(() => roomNode().libp2p),
  ...createStreamBulk(() => roomNode().libp2p),
  ...createBulk(roomNode, () => {
    if (room === undefined) throw new Error('no room is open');
    return room.id;
  }),
  self: () => room?.self ?? null,
  peers: () => (room?.peers() ?? []).map(({ peer, kind, link, tools }) => ({ peer, kind, link, tools: tools.length })),
  async measureCall(peer, payload, length) {
    const client = room;
    if (client === undefined) throw new Error('no room is open');
    const options = { place: peer as PeerId };
    return measure(async () => {
      const result = await client.call('echo', { text: payload }, options);
      if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
    }, length);
  },
  takeLongestTask() {
    const taken = longest;
    longest = 0;
    return taken;
  },
};

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
}).observe({ type: 'longtask' });

mountApp(async () => {
  const host = await openHost();
  const join = host.joinRoom.bind(host);
  host.joinRoom = async (invite) => (room = await join(invite));
  return host;
}, takeInvite());
