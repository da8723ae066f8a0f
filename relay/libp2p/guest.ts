import { join } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import { encodeInvite } from '../../src/mesh/identity/invite.ts';
import { createRoomsStore } from '../../src/mesh/identity/rooms-store.ts';
import { openFileStore } from '../../src/mesh/storage/kv-file.node.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { startHeadlessRoom } from '../../src/peer/node/start-room.ts';
import { readRelays } from '../../src/peer/room/read-relays.ts';
import type { StartRelayPeers } from '../peers.ts';
import { VERSION } from '../version.ts';
import { joinRoom } from './choose-room.ts';
import { roomSamples } from './mesh-samples.ts';
import { roomsOf } from './room-gateway.ts';

/**
 * Starts a peer for one command or client. It has no relay and no address: it meets tabs as tabs meet each other, through
 * the relays of its invite and by WebRTC, wherever they are.
 */
export const startGuestPeers: StartRelayPeers = async (options) => {
  const { dataDir, room: choice, urls, clock, log, signal } = options;
  if (choice.kind !== 'invite') throw new TabmeshError('internal', 'a guest comes by an invite');
  const store = await openFileStore(join(dataDir, 'device'));
  try {
    const deviceKey = await loadDeviceKey({ store, lock: createProcessLock(), signal });
    const invite = await joinRoom(store, choice.invite);
    const { room } = invite;
    const headless = await startHeadlessRoom({
      invite,
      remember: (secret) => createRoomsStore(store).renew(secret),
      folder: join(dataDir, 'rooms', room),
      deviceKey,
      title: 'Guest',
      relays: readRelays(invite.relays, log),
      reach: 'relays',
      accessKey: (relay) => invite.access[relay] ?? null,
      announce: () => [],
      fetch: options.fetch,
      email: options.contact,
      outside: options.outside,
      audit: options.audit,
      methods: {},
      ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
      version: VERSION,
      clock,
      log,
    });
    return {
      rooms: roomsOf(room, headless),
      samples: () => roomSamples(headless),
      peerId: headless.peer,
      multiaddrs: [],
      get invite() {
        return new URL(encodeInvite(headless.room.renewInvite(invite)), urls.app).href;
      },
      room,
      accessKey: () => null,
      upgradeTaker: () => undefined,
      async close() {
        await Promise.allSettled([headless.close()]);
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
