import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { join } from 'node:path';
import type { KeyValueStore } from '../../src/contracts/kv.ts';
import type { Invite } from '../../src/contracts/mesh.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { loadDeviceKey } from '../../src/mesh/identity/device-key.ts';
import { encodeInvite, MAX_RELAYS } from '../../src/mesh/identity/invite.ts';
import { createRoomsStore } from '../../src/mesh/identity/rooms-store.ts';
import { parseRelayAddress } from '../../src/mesh/node/relay-address.ts';
import { openFileStore } from '../../src/mesh/storage/kv-file.node.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { startHeadlessRoom } from '../../src/peer/node/start-room.ts';
import { readRelays } from '../../src/peer/room/read-relays.ts';
import { openAccessKeys, type AccessKeys } from '../access/keys.ts';
import { iceGrant } from '../ice.ts';
import type { RelayPeers, RelayPeersOptions, StartRelayPeers } from '../peers.ts';
import { VERSION } from '../version.ts';
import { meshSamples } from './mesh-samples.ts';
import { memberMethods } from './member-methods.ts';
import { loadDirectCertificate } from './direct-certificate.ts';
import type { RelayNode } from './relay-node.ts';
import { chooseRoom } from './choose-room.ts';
import { roomsOf } from './room-gateway.ts';
import { startRelayNode } from './relay-node.ts';

const RELAY_KEY = 'relay/key';
/** Below this path, a room's peer answers WebSockets under its peer id. */
const ROOM_PATH = '/room/';
/** WebRTC-Direct addresses are long, and one is enough where WebSockets fail. */
const MAX_DIRECT = 2;

/** Starts the relay's own node and its peer in the room it is a member of. */
export const startRelayPeers: StartRelayPeers = async (options) => {
  const { dataDir, urls, openRelay, clock, log, signal } = options;
  const store = await openFileStore(join(dataDir, 'device'));
  let keys: AccessKeys | undefined;
  let relay: RelayNode | undefined;
  let headless: HeadlessRoom | undefined;
  const close = async () => {
    await Promise.allSettled([headless?.close()]);
    await Promise.allSettled([relay?.stop()]);
    keys?.close();
    await store.close();
  };
  try {
    const deviceKey = await loadDeviceKey({ store, lock: createProcessLock(), signal });
    const access = await openAccessKeys({ dataDir, clock, log }, () => {
      // members that come later learn the key from the room
      headless?.room.tellProfile().catch((error: unknown) => {
        log.error('access key not told', { reason: String(error) });
      });
      relay?.access.review().catch((error: unknown) => {
        log.error('access not reviewed', { reason: String(error) });
      });
    });
    keys = access;
    const direct = await directListener(options);
    relay = await startRelayNode({
      privateKey: await loadRelayKey(store),
      announce: [...urls.announce, ...(direct?.announce ?? [])],
      access: { find: (id) => access.find(id), open: openRelay, ice: (peer) => iceGrant(options.ice, peer, clock) },
      direct,
      clock,
      log,
    });
    const peerId = relay.libp2p.peerId.toString() as PeerId;
    const directly = direct?.announce.slice(0, MAX_DIRECT) ?? [];
    // a machine with many networks has more addresses than an invite holds; the best come first
    const reachable = urls.announce.slice(0, MAX_RELAYS - directly.length);
    const multiaddrs = [...reachable, ...directly].map((address) => `${address}/p2p/${peerId}`);
    const accessKey = () => (openRelay ? null : access.own());
    const invite = await chooseRoom(store, options.room, deviceKey.id, multiaddrs);
    if (invite !== null) {
      const { room } = invite;
      // another relay introduces members whose invite names only that one
      const others = readRelays(invite.relays, log).filter((other) => other.peer !== peerId);
      headless = await startHeadlessRoom({
        invite,
        remember: (secret) => createRoomsStore(store).renew(secret),
        folder: join(dataDir, 'rooms', room),
        deviceKey,
        ownRelay: peerId,
        offer: () => {
          const key = accessKey();
          return { addresses: multiaddrs, accessKey: key === null ? null : Buffer.from(key).toString('base64url') };
        },
        // its own relay, without the way round over the public address
        relays: [parseRelayAddress(`/ip4/127.0.0.1/tcp/${relay.port}/ws/p2p/${peerId}`), ...others],
        // who comes to a room of other relays may have no way to this one's port
        reach: others.length > 0 ? 'address and relays' : 'address',
        // its own takes it in by the key of its own, whatever has been taken back since the invite
        accessKey: (other) => (other === peerId ? access.own() : (invite.access[other] ?? null)),
        announce: (peer) =>
          reachable.map((address) => `${address}/http-path/${encodeURIComponent(ROOM_PATH.slice(1) + peer)}`),
        fetch: options.fetch,
        email: options.contact,
        outside: options.outside,
        audit: options.audit,
        methods: memberMethods(options, room),
        ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
        version: VERSION,
        clock: options.clock,
        log,
      });
    }
    return running(options, { relay, headless, invite, peerId, multiaddrs, accessKey, close });
  } catch (error) {
    await close();
    throw error;
  }
};

/** The WebRTC-Direct listener that was asked for, with the certificate that it has had from its first start. */
async function directListener({ dataDir, direct }: RelayPeersOptions) {
  if (direct === null) return null;
  const certificate = await loadDirectCertificate(join(dataDir, 'webrtc-direct.pem'));
  return {
    listen: [direct.listen],
    announce: direct.announce.map((address) => `${address}/certhash/${certificate.certhash}`),
    certificate,
  };
}

function running(
  { urls }: RelayPeersOptions,
  parts: {
    readonly relay: RelayNode;
    readonly headless: HeadlessRoom | undefined;
    readonly invite: Invite | null;
    readonly peerId: PeerId;
    readonly multiaddrs: readonly string[];
    readonly accessKey: () => Uint8Array | null;
    readonly close: () => Promise<void>;
  },
): RelayPeers {
  const { relay, headless, invite, peerId, multiaddrs, accessKey, close } = parts;
  return {
    rooms: roomsOf(invite?.room ?? null, headless),
    samples: () => meshSamples(relay, headless),
    peerId,
    multiaddrs,
    get invite() {
      if (invite === null) return null;
      // a room that was made elsewhere is also met at this relay, and its key changes
      const relays = [...new Set([...invite.relays, ...multiaddrs])];
      const key = accessKey();
      const access = key === null ? invite.access : { ...invite.access, [peerId]: key };
      const own: Invite = { ...invite, relays, access };
      return new URL(encodeInvite(headless?.room.renewInvite(own) ?? own), urls.app).href;
    },
    room: invite?.room ?? null,
    accessKey,
    upgradeTaker(path) {
      if (path === '/') return relay.take;
      return path === ROOM_PATH + String(headless?.peer) ? headless?.take : undefined;
    },
    close,
  };
}

async function loadRelayKey(store: KeyValueStore): Promise<PrivateKey> {
  const stored = await store.get<Uint8Array>(RELAY_KEY);
  if (stored !== undefined) return privateKeyFromProtobuf(stored);
  const made = await generateKeyPair('Ed25519');
  await store.put(RELAY_KEY, privateKeyToProtobuf(made));
  return made;
}
