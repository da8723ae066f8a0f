import type { PeerId } from '../../lib/ids.ts';
import { issueCertificate, verifyCertificate } from '../../mesh/identity/certificate.ts';
import { isAt } from '../../mesh/node/relay-address.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import { RoomRelays } from '../../mesh/room/room-relays.ts';
import { EpochExchange } from '../../mesh/roster/epoch-exchange.ts';
import { putOutError } from '../../mesh/membership/put-out.ts';
import type { RoomEpochs } from '../../mesh/roster/room-epochs.ts';
import type { RoomPlatform } from './room-platform.ts';

/** A node of the room that lets in who belongs there, and what it decides by. */
export interface RoomEntry {
  readonly node: RoomNode;
  readonly epochs: RoomEpochs;
  /** for who comes with an older secret, or is behind a newer one */
  readonly exchange: EpochExchange;
  readonly relays: RoomRelays;
}

/** Starts the node of a room, guarded by who belongs there as of now. @throws when it cannot start */
export async function enterRoom(platform: RoomPlatform, epochs: RoomEpochs): Promise<RoomEntry> {
  const { kind, peer, deviceKey, secret, replica, log } = platform;
  const certificate = await issueCertificate(deviceKey, peer, secret.room);
  const verify = (bytes: Uint8Array, remote: PeerId) => verifyCertificate(bytes, remote, secret.room);
  const exchange = new EpochExchange({ epochs, certificate, verifyCertificate: verify, log });
  const relays = new RoomRelays({
    invited: platform.relays,
    told: platform.toldRelays ?? [],
    keyOf: (relay) => platform.access.key(relay),
    devices: () => Object.values(replica.state().devices),
    admits: (member) => epochs.admits(member),
    usable: platform.usesRelay,
  });
  const node = await platform.startNode(
    {
      secrets: () => ({
        room: secret.room,
        epoch: epochs.secret.epoch,
        joinKey: epochs.keys.joinProof,
        verifyCertificate: async (bytes, remote) => {
          const device = await verify(bytes, remote);
          if (epochs.admits(device)) return device;
          throw putOutError();
        },
      }),
      catchUp: (connection, theirs) => exchange.afterJoin(connection, theirs),
      tellPutOut: (connection) => exchange.tellPutOut(connection),
      certificate,
      kind,
      isRelayAt: (address) => platform.relays.some((relay) => isAt(relay, address)),
      isInfrastructure: (remote, address) => relays.isRelaysOwn(remote, address),
      log,
    },
    () => relays.list(),
  );
  return { node, epochs, exchange, relays };
}
