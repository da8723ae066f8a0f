import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { LinkUnderTest, MeshProbes, RelayUnderTest } from '../../contracts/doctor.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { hostOf, type RelayAddress } from '../node/relay-address.ts';
import type { RoomNode } from '../node/room-node.ts';
import type { ExtraMethod } from '../rpc/mcp-server.ts';
import { isObject } from '../rpc/mcp-wire.ts';
import type { RoomMesh } from '../room/room-mesh.ts';

/** Asked of a member: what time it is there. */
const TIME_METHOD = 'tabmesh/time';

/** Serves this peer's time to members. */
export function timeMethod(now: () => number): Readonly<Record<string, ExtraMethod>> {
  return { [TIME_METHOD]: () => Promise.resolve({ now: now() }) };
}

/** What the doctor looks at in a running mesh. */
export function meshProbes(options: {
  readonly mesh: RoomMesh;
  readonly node: RoomNode;
  readonly relays: () => readonly RelayAddress[];
}): MeshProbes {
  const { mesh, node, relays } = options;
  const { membership, ping, reservations } = node.libp2p.services;
  return {
    connection: () => mesh.connection(),
    relays: () => {
      const states = new Map(mesh.relays().map(({ peer, state }) => [peer, state]));
      return [...Map.groupBy(relays(), ({ peer }) => peer)].map(([peer, ways]) => ({
        peer,
        ways: ways.map(({ host, address }) => ({ host, origin: originOf(host, address) })),
        state: states.get(peer) ?? 'connecting',
      }));
    },
    async reachRelay({ peer }, signal) {
      const ways = relays()
        .filter((relay) => relay.peer === peer)
        .map(({ address }) => address);
      try {
        // the connection that stands, if there is one
        const connection = await node.libp2p.dial(ways, { signal });
        const pingMs = await ping.ping(connection.remotePeer, { signal });
        return { host: hostOf(connection.remoteAddr), pingMs };
      } catch (cause) {
        signal.throwIfAborted();
        // what libp2p and the browser say of it ("[object Event]", a list of addresses) helps nobody
        throw new TabmeshError('peer_unreachable', 'no connection', { cause, retryable: true });
      }
    },
    reservation: ({ peer }: RelayUnderTest) => reservations.at(peerIdFromString(peer)),
    peers: () =>
      mesh.peers().flatMap((peer): LinkUnderTest[] => {
        if (peer.link === 'self') return [];
        const connection = membership.linkTo(peer.peer)?.connection;
        const limits = connection?.limits;
        return [
          {
            peer,
            failure: inWords(mesh.dialFailure(peer.peer)),
            outbound: connection === undefined ? null : connection.direction === 'outbound',
            limits:
              limits === undefined
                ? null
                : {
                    bytes: limits.bytes === undefined ? null : Number(limits.bytes),
                    seconds: limits.seconds ?? null,
                  },
          },
        ];
      }),
    async timeOf(peer, signal) {
      const answer = await mesh.request(peer, TIME_METHOD, {}, { signal });
      if (isObject(answer) && typeof answer['now'] === 'number') return answer['now'];
      throw new TabmeshError('protocol_error', 'the member told no time');
    },
  };
}

function originOf(host: string, address: Multiaddr): string | null {
  const names = new Set(address.getComponents().map(({ name }) => name));
  if (names.has('webrtc-direct')) return null;
  return `${names.has('tls') || names.has('wss') ? 'https' : 'http'}://${host}`;
}

/** What libp2p says of a failed dial, as far as it tells a person something. */
function inWords(failure: string | null): string | null {
  if (failure === null) return null;
  if (/time|abort/i.test(failure)) return 'no answer in time';
  return failure.includes('[object') ? 'no connection' : failure;
}
