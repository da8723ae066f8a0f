import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { Settings } from '../../contracts/app.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { Invite } from '../../contracts/mesh.ts';
import type { RelayConfig } from '../../contracts/relay.ts';
import { systemClock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { IceServers } from '../../mesh/access/ice-servers.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import { acquireSlot } from '../../mesh/identity/slots.browser.ts';
import { browserIceCandidates } from '../../mesh/bootstrap/ice-candidates.browser.ts';
import { iceReachability } from '../../mesh/bootstrap/ice-reachability.ts';
import { BroadcastRegistry } from '../../mesh/discovery/broadcast-registry.browser.ts';
import { LocalRegistry } from '../../mesh/discovery/local-registry.ts';
import { createKvRecordStore } from '../../mesh/discovery/record-store-kv.ts';
import { SwitchedRegistry } from '../../mesh/discovery/switched-registry.ts';
import { roomGater } from '../../mesh/node/gater.ts';
import { startTabNode } from '../../mesh/node/room-node.browser.ts';
import { createReplica } from '../../mesh/replica/replica.ts';
import { createSiblingChannel } from '../../mesh/replica/sibling-channel.browser.ts';
import { asHeliaBlockstore } from '../../mesh/storage/helia-blocks.ts';
import { createWebHold } from '../../mesh/storage/hold.browser.ts';
import { createWebLock } from '../../mesh/storage/lock.browser.ts';
import { DEFAULT_CONTACT } from '../contact.ts';
import type { FetchRoute } from '../fetch/tab-fetch.ts';
import { indexAction } from '../room/index-action.ts';
import { readRelays } from '../room/read-relays.ts';
import { RelayServices } from '../room/relay-services.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import type { AuditLog } from '../../monitor/audit/log.ts';
import type { RoomPeer } from '../room/room-peer.ts';
import { startRoomPeer } from '../room/room-peer.ts';
import { createAccessChannel } from './access-channel.ts';
import { askToPersist } from './ask-to-persist.ts';
import { openTabAudit } from './audit.ts';
import { loadLater } from './later.ts';
import { watchCondition } from './page-condition.ts';
import { tabProbes } from './probes.ts';
import { openRoomStorage } from './storage.ts';
import { withinPolicy } from './within-policy.ts';
import { createWorkerPool } from './worker-pool.ts';

/** From the opening of a room to fetching what was not needed for that, ms: joining takes about one second. */
const LATER_MS = 4_000;

export interface OpenRoomOptions {
  readonly invite: Invite;
  /** makes the device remember the room by its new secret */
  readonly remember: (secret: RoomSecret) => Promise<void>;
  /** makes the device remember the room with another relay's access key */
  readonly rememberKey: (relay: PeerId, key: Uint8Array) => Promise<void>;
  readonly deviceStore: KeyValueStore;
  readonly deviceKey: DeviceKey;
  readonly deviceName: () => string;
  readonly settings: Settings;
  /** of the relay that serves the page; null when it is away */
  readonly config: RelayConfig | null;
  /** what this peer answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  readonly log: Log;
}

/** A room open in this tab. */
export interface TabRoom {
  readonly peer: RoomPeer;
  readonly self: PeerId;
  readonly relays: RelayServices;
  /** the access keys that this peer knows, by relay */
  access(): Invite['access'];
  /** takes a relay's access key and tries it now */
  enterRelayKey(relay: PeerId, key: Uint8Array): Promise<void>;
  /** takes other settings: they hold for links that are made from now on */
  apply(settings: Settings): Promise<void>;
  close(): Promise<void>;
}

/** Opens a room in this tab: storage, identity slot, workers, node. The composition root beside the relay's. */
export async function openTabRoom(options: OpenRoomOptions): Promise<TabRoom> {
  const { invite, deviceKey, config, log } = options;
  const { room } = invite;
  const undo: (() => unknown)[] = [];
  try {
    const keep = async <T>(taken: Promise<T>, giveBack: (value: T) => unknown): Promise<T> => {
      const value = await taken;
      undo.push(() => giveBack(value));
      return value;
    };
    const taking = [
      keep(openRoomStorage(room), (opened) => opened.close()),
      keep(acquireSlot({ locks: navigator.locks, session: sessionStorage, kv: options.deviceStore }), (held) => {
        held.release();
      }),
    ] as const;
    // both have settled before the failure of one is told, so that the other is given back
    await Promise.allSettled(taking);
    const [storage, slot] = await Promise.all(taking);
    const self = peerIdFromPrivateKey(slot.privateKey).toString() as PeerId;
    const replica = await createReplica({
      room,
      deviceKey,
      store: storage.store,
      lock: createWebLock(`tabmesh/replica/${room}`),
      siblings: createSiblingChannel(room),
      log,
    });
    undo.push(() => replica.close());
    const audit = await keep(
      openTabAudit({ store: storage.store, lock: createWebLock(`tabmesh/audit/${room}`), clock: systemClock, log }),
      (opened) => opened.close(),
    );
    const usesRelay = (relay: RelayAddress) => withinPolicy(relay, location.host);
    const relays = readRelays(usableRelays(invite, config), log).filter(usesRelay);
    let { settings } = options;
    const ice = new IceServers(settings, () => systemClock.now());
    const keys = new Map(Object.entries(invite.access));
    const github = new SwitchedRegistry('github');
    const { blocks } = storage;
    const hold = createWebHold(`tabmesh/blocks/${room}`);
    const secret = { room, epoch: invite.epoch, secret: invite.secret };

    const route = async (renew: boolean, signal: AbortSignal): Promise<FetchRoute> => {
      // a demo or test relay stands in for the services: only it knows where they are
      if (!services.available && config?.directFetch !== false) return { via: 'direct' };
      return { via: 'relay', ticket: await services.ticket(renew, signal) };
    };
    const pool = createWorkerPool({
      room,
      device: deviceKey.id,
      email: config?.contact ?? DEFAULT_CONTACT,
      route,
      index: ({ inputs, runId }, signal, progress) =>
        indexAction((summary, s) => peer.datasets.publish(summary, s))(inputs, { runId, signal, progress }),
    });
    undo.push(() => {
      pool.close();
    });
    const condition = watchCondition();
    undo.push(() => {
      condition.stop();
    });
    const accessChannel = createAccessChannel(room);
    undo.push(() => {
      accessChannel.close();
    });
    const namedHosts = new Set<string>();
    const siblings = new BroadcastRegistry(room, systemClock);
    undo.push(() => {
      siblings.close();
    });
    const peer: RoomPeer = await startRoomPeer({
      kind: 'tab',
      peer: self,
      deviceKey,
      deviceName: options.deviceName,
      secret,
      origin: invite.origin,
      remember: options.remember,
      relays,
      toldRelays: readRelays(invite.told ?? [], log).filter(usesRelay),
      usesRelay,
      access: {
        key: (relay) => keys.get(relay) ?? null,
        granted: (relay, grant) => {
          ice.granted(relay, grant);
        },
      },
      addresses: () => [],
      throughRelays: true,
      startNode: (membership, known) =>
        startTabNode({
          privateKey: slot.privateKey,
          blockstore: asHeliaBlockstore(blocks),
          membership,
          gater: roomGater(known, namedHosts),
          ice,
        }),
      replica,
      store: storage.store,
      blocks,
      hold,
      sweep: (roots, signal) => pool.data.call('sweep', roots, { signal }),
      search: {
        reload: (signal) => pool.search.call('reload', null, { signal }),
        index: (dataset, signal) => pool.search.call('index', { dataset }, { signal }),
        remove: (dataset, signal) => pool.search.call('remove', { dataset }, { signal }),
        search: (request, signal) => pool.search.call('search', request, { signal }),
        related: (recordId, topK, signal) => pool.search.call('related', { recordId, topK }, { signal }),
      },
      executor: () => ({
        execute: (definition, inputs, { runId, signal, onEvent }) =>
          pool.workflow.call(
            'execute',
            { definition, inputs, runId },
            { signal, onProgress: (event) => onEvent(event as Parameters<typeof onEvent>[0]) },
          ),
        load: () => pool.workflow.call('load', null),
        delete: (runId) => pool.workflow.call('remove', { runId }),
      }),
      discovery: () => ({
        registries: [
          new LocalRegistry('local_store', createKvRecordStore(storage.store), systemClock),
          siblings,
          github,
        ],
        reachability: iceReachability(browserIceCandidates, () => settings.stun, log),
        namedHosts,
        asksOutside: () => settings.stun.length > 0,
      }),
      probes: tabProbes({
        condition,
        iceServers: () => ice.list(),
        secrets: () => (settings.github === null ? [] : [settings.github.token]),
        now: () => systemClock.now(),
      }),
      methods: {},
      accessShared: { lock: createWebLock(`tabmesh/access/${room}`), channel: accessChannel },
      ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
      audit,
      ownTools: [],
      visible: () => document.visibilityState === 'visible',
      condition: () => condition.read(),
      version: import.meta.env.VITE_APP_VERSION,
      clock: systemClock,
      log,
    });
    const services = new RelayServices(peer.mesh, () => systemClock.now(), pageHost());
    undo.push(watchPage(peer, audit), askToPersist(peer.replica));
    const useGithub = async () => {
      const wanted = settings.github;
      // most people never need the code
      const made =
        wanted === null ? null : (await import('./github.ts')).openGithub(wanted, () => peer.secret(), systemClock);
      if (settings.github !== wanted) return;
      github.use(made);
      if (made !== null) peer.finding.again();
    };
    const closed = new AbortController();
    undo.push(() => {
      closed.abort();
    });
    systemClock.sleep(LATER_MS, closed.signal).then(loadLater, () => undefined); // closed before that
    // nobody waits for it: the relays come first
    void useGithub().catch((thrown: unknown) => {
      log.warn('GitHub not used', { reason: toTabmeshError(thrown).message });
    });
    const close = async () => {
      await Promise.allSettled([peer.close()]);
      for (const step of undo.reverse()) await step();
    };
    return {
      peer,
      self,
      relays: services,
      access: () => Object.fromEntries(keys),
      async enterRelayKey(relay, key) {
        await options.rememberKey(relay, key);
        keys.set(relay, key);
        peer.mesh.retryRelays();
      },
      async apply(changed) {
        settings = changed;
        ice.use(settings);
        await useGithub();
        if (settings.github === null) peer.finding.again();
      },
      close,
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** `host:port` that this page came from, the port also where it is the scheme's own. */
function pageHost(): string {
  const { hostname, port, protocol } = location;
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

/** The relays of the invite, and the page's own unless it would let nobody of this room in. */
function usableRelays(invite: Invite, config: RelayConfig | null): readonly string[] {
  if (config === null) return invite.relays;
  const wanted = config.open || invite.access[config.peerId] !== undefined || invite.relays.length === 0;
  return wanted ? [...config.multiaddrs, ...invite.relays] : invite.relays;
}

/** Follows what happens to the page: visibility is told to others, and the network's return cuts a backoff short. */
function watchPage(peer: RoomPeer, audit: AuditLog): () => void {
  const visibility = () => {
    peer.announce();
    if (document.visibilityState === 'visible') peer.mesh.retryRelays();
    // a hidden page may be ended without another word
    else void audit.flush();
  };
  const online = () => {
    peer.mesh.retryRelays();
  };
  // others see at once that this tab is gone, instead of when its silence is noticed
  const leaving = () => {
    audit.leave();
    for (const connection of peer.node.libp2p.getConnections()) connection.abort(new Error('the page is closed'));
  };
  document.addEventListener('visibilitychange', visibility);
  window.addEventListener('pagehide', leaving);
  window.addEventListener('online', online);
  return () => {
    document.removeEventListener('visibilitychange', visibility);
    window.removeEventListener('online', online);
    window.removeEventListener('pagehide', leaving);
  };
}
