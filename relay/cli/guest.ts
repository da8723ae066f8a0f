import { TabmeshError } from '../../src/lib/errors.ts';
import type { Log } from '../../src/lib/log.ts';
import { parseConfig } from '../config/parse.ts';
import { startRelay } from '../start.ts';
import { createRestClient } from './rest-client.ts';
import type { RoomAccess, StartGuest } from './room-access.ts';

/**
 * Joining takes a second; a relay far away, or a busy machine, longer. Where there is no direct way to a tab, it is given up
 * after 12 s, and the link goes through the relay.
 */
const MEET_MS = 20_000;
/** Tools of those met are read right after the meeting. */
const LOOK_AGAIN_MS = 200;

export interface GuestOptions {
  readonly appFolder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Makes the way into a room of which no relay is known: a peer in this process joins by the invite, with an endpoint of its
 * own on a free loopback port, so that everything works as at any relay. It introduces nobody, and nobody can dial it: it
 * meets the others through the relays of the invite.
 */
export function guestStarter({ appFolder, log, signal }: GuestOptions): StartGuest {
  return async (invite, dataDir) => {
    // by its own arguments alone: the environment is about the person's relay
    const config = parseConfig(['--host', '127.0.0.1', '--port', '0', '--room', invite, '--data', dataDir], {});
    if (config === 'help') throw new TabmeshError('internal', 'a guest needs no help');
    // libp2p is loaded when it is needed
    const { startGuestPeers } = await import('../libp2p/guest.ts');
    const relay = await startRelay({ config, startRelayPeers: startGuestPeers, appFolder, log, signal });
    const root = new URL(relay.urls.app);
    const access: RoomAccess = {
      mcp: new URL('mcp', root),
      api: new URL('api/', root),
      token: relay.token,
      invite,
      close: () => relay.close(),
    };
    try {
      await meet(access, signal);
      return access;
    } catch (error) {
      await relay.close();
      throw error;
    }
  };
}

/** Waits until everybody whom the relays introduce is linked, and their tools are known; a room may be empty, too. */
async function meet(access: RoomAccess, signal: AbortSignal): Promise<void> {
  const client = createRestClient(access);
  const giveUp = Date.now() + MEET_MS;
  while (Date.now() < giveUp) {
    const others = (await client.peers(signal)).filter(({ link }) => link !== 'self');
    // one that is being connected to offers nothing yet
    const offered = new Set((await client.tools(signal)).flatMap(({ places }) => places.map(({ peer }) => peer)));
    if (others.length > 0 && others.every(({ peer }) => offered.has(peer))) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    signal.throwIfAborted();
  }
}
