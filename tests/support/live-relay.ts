import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../relay/config/parse.ts';
import { startRelayPeers } from '../../relay/libp2p/index.ts';
import type { RoomGateway } from '../../relay/rooms.ts';
import { startRelay, type Relay } from '../../relay/start.ts';
import type { Invite } from '../../src/contracts/mesh.ts';
import type { Principal } from '../../src/contracts/tools.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { lineLog } from '../../src/lib/log.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';

/** A whole relay in this process, on real sockets: HTTP, libp2p, and its own peer in the room it made. */
export interface LiveRelay {
  readonly relay: Relay;
  readonly folder: string;
  /** the invite of its room */
  readonly invite: Invite;
  /** of its own node, which carries circuits */
  readonly address: string;
  /** of its peer in the room */
  readonly roomPeer: string;
  readonly gateway: RoomGateway;
  /** what it has logged, a line each */
  readonly log: readonly string[];
  /** the owner's token, as a principal */
  readonly owner: Principal;
  /** calls that its peer has served, by tool, the question itself not counted */
  served(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/**
 * Starts a {@link LiveRelay}.
 * @param args of the command line, besides port and folder
 */
export async function startLiveRelay(
  args: readonly string[] = ['--demo'],
  clock: Clock = systemClock,
): Promise<LiveRelay> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-live-'));
  const log: string[] = [];
  const config = parseConfig(['--port', '0', '--data', folder, ...args], {});
  if (config === 'help') throw new Error('not a relay');
  const relay = await startRelay({
    config,
    startRelayPeers,
    appFolder: join(folder, 'no-app'),
    clock,
    log: lineLog((line) => log.push(line), 'tabmesh', ['info', 'warn', 'error']),
    signal: new AbortController().signal,
  });
  const { peers, urls } = relay;
  const gateway = peers.rooms.default;
  const [address] = peers.multiaddrs;
  const [announced] = urls.announce;
  if (gateway === undefined || peers.invite === null || address === undefined || announced === undefined) {
    throw new Error('a relay without a room');
  }
  const owner: Principal = { kind: 'token', tokenId: 'owner', name: 'owner', relay: gateway.self };
  return {
    relay,
    folder,
    invite: parseInvite(peers.invite),
    address,
    roomPeer: `${announced}/http-path/${encodeURIComponent(`room/${gateway.self}`)}/p2p/${gateway.self}`,
    gateway,
    log,
    owner,
    async served() {
      const answer = await gateway.tools.call({ tool: 'list_peers', args: {}, principal: owner, place: gateway.self });
      if (!answer.ok) throw new Error(answer.error.message);
      const { peers: listed } = answer.value as { peers: { link: string; served: Record<string, number> }[] };
      const { list_peers: _, ...served } = listed.find(({ link }) => link === 'self')?.served ?? {};
      return served;
    },
    async close() {
      await relay.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
