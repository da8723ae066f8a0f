import type { DeviceId, PeerId } from '../../src/lib/ids.ts';
import type { StartRelayPeers } from '../../relay/peers.ts';
import { memoryRoom } from './room-tools.ts';

/** A libp2p side whose room is in memory; its invite carries a ticket and a token, as a member would get over the mesh. */
export const startMemoryPeers: StartRelayPeers = async ({ urls, room, issueTicket, tokens }) => {
  const gateway = memoryRoom('room-a');
  const device = 'device-a' as DeviceId;
  const [address = ''] = urls.announce;
  const { ticket } = issueTicket({ room: gateway.room, device });
  const { token } = await tokens.create({ room: gateway.room, device }, { name: 'a client' });
  const none = room.kind === 'none';
  return {
    rooms: {
      byId: (id) => (id === gateway.room ? gateway : undefined),
      default: none ? undefined : gateway,
      all: () => [gateway],
    },
    peerId: '12D3KooWRelay' as PeerId,
    multiaddrs: [`${address}/p2p/12D3KooWRelay`],
    invite: none ? null : `${urls.app}#join=${ticket}.${token}`,
    room: none ? null : gateway.room,
    accessKey: () => null,
    samples: () => [],
    upgradeTaker: () => undefined,
    close: () => Promise.resolve(),
  };
};
