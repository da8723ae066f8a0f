import type { AppHost, RememberedRoom, RoomClient, Settings } from '../contracts/app.ts';
import type { KeyValueStore } from '../contracts/kv.ts';
import type { McpProvider } from '../contracts/mcp.ts';
import type { Invite } from '../contracts/mesh.ts';
import type { RelayConfig } from '../contracts/relay.ts';
import { systemClock } from '../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { RoomId } from '../lib/ids.ts';
import type { DeviceKey } from '../mesh/identity/device-key.ts';
import { deviceKeyIn, loadDeviceKey } from '../mesh/identity/device-key.ts';
import { MAX_RELAYS, parseInvite, previewInvite } from '../mesh/identity/invite.ts';
import { friendlyName } from '../mesh/identity/names.ts';
import { createRoomSecret } from '../mesh/identity/room-secret.ts';
import type { RoomsStore } from '../mesh/identity/rooms-store.ts';
import { createRoomsStore } from '../mesh/identity/rooms-store.ts';
import { equalConstantTime } from '../mesh/membership/proof.ts';
import { createWebLock } from '../mesh/storage/lock.browser.ts';
import { consoleLog } from './tab/console-log.ts';
import { exportStoredRoom } from './tab/export-stored.ts';
import type { TabRoom } from './tab/open-room.ts';
import { openTabRoom } from './tab/open-room.ts';
import { fetchRelayConfig, readAccessKey, readRelayKey } from './tab/relay-config.ts';
import { createRoomClient } from './tab/room-client.ts';
import { deleteEverything, deleteRoomStorage, openDeviceStore } from './tab/storage.ts';

export { exportStoredRoom } from './tab/export-stored.ts';

const NAME = 'device/name';
const SETTINGS = 'device/settings';
const NO_KEY = new Uint8Array();
const NO_SETTINGS: Settings = { stun: [], turn: [], github: null };
/** A name has to fit a list; the replica's own bound is looser. */
const MAX_NAME = 60;

/**
 * Opens this browser's device: what the app starts from.
 * @param mcp what its rooms answer to MCP instead of this app's tools, resources and prompts
 * @throws `format_newer`, `storage_failed`
 */
export async function openHost(mcp?: McpProvider): Promise<AppHost> {
  const store = await openDeviceStore();
  const deviceKey = await loadDeviceKey({ store, lock: createWebLock('tabmesh/device') });
  const name = (await store.get<string>(NAME)) ?? friendlyName(deviceKey.id);
  // in parallel with whatever the person does next
  const config = fetchRelayConfig(new AbortController().signal);
  return new TabHost(store, deviceKey, name, config, mcp);
}

class TabHost implements AppHost {
  readonly #store: KeyValueStore;
  readonly #deviceKey: DeviceKey;
  readonly #rooms: RoomsStore;
  readonly #config: Promise<RelayConfig | null>;
  readonly #mcp: McpProvider | undefined;
  #name: string;
  #open: TabRoom | null = null;

  constructor(
    store: KeyValueStore,
    deviceKey: DeviceKey,
    name: string,
    config: Promise<RelayConfig | null>,
    mcp: McpProvider | undefined,
  ) {
    this.#mcp = mcp;
    this.#store = store;
    this.#deviceKey = deviceKey;
    this.#rooms = createRoomsStore(store);
    this.#name = name;
    this.#config = config;
  }

  get device(): AppHost['device'] {
    return { id: this.#open?.peer.replica.device ?? this.#deviceKey.id, name: this.#name };
  }

  async rename(name: string): Promise<void> {
    const trimmed = name.trim();
    if (trimmed === '' || trimmed.length > MAX_NAME) {
      throw new TabmeshError('invalid_input', `a name has 1 to ${MAX_NAME} characters`);
    }
    await this.#store.put(NAME, trimmed);
    this.#name = trimmed;
    await this.#open?.peer.replica.setProfile({ name: trimmed, kind: 'tab' });
    this.#open?.peer.announce();
  }

  async rooms(): Promise<readonly RememberedRoom[]> {
    const rooms = await this.#rooms.list();
    return rooms.map(({ invite, openedAt }) => ({
      id: invite.room,
      name: invite.roomName,
      openedAt,
      relays: previewInvite(invite, true).relays,
    }));
  }

  async readInvite(text: string): ReturnType<AppHost['readInvite']> {
    const invite = parseInvite(text);
    const known = await this.#knownAs(invite);
    return previewInvite(invite, known !== 'unknown' && known !== 'other');
  }

  async wantsRelayKey(): Promise<boolean> {
    const config = await this.#config;
    return config !== null && !config.open && (await this.#relayKeys(config))[config.peerId] === undefined;
  }

  async createRoom(name: string, relayKey?: string): Promise<RoomClient> {
    const roomName = name.trim();
    if (roomName === '') throw new TabmeshError('invalid_input', 'a room needs a name');
    const config = await this.#config;
    const known = config === null ? undefined : (await this.#relayKeys(config))[config.peerId];
    const key = relayKey === undefined ? known : readRelayKey(relayKey);
    if (config !== null && !config.open && key === undefined) {
      throw new TabmeshError(
        'unauthorized',
        'the relay of this page wants its access key before it lets a new room in',
        {
          hint: 'Ask its owner for the key, or open an invite of this relay in this browser first.',
        },
      );
    }
    const invite: Invite = {
      version: 2,
      ...createRoomSecret(this.#deviceKey.id),
      roomName,
      relays: config?.multiaddrs ?? [],
      access: config === null || key === undefined ? {} : { [config.peerId]: key },
    };
    await this.#rooms.put(invite);
    return this.#openInvite(invite);
  }

  async joinRoom(text: string): Promise<RoomClient> {
    const invite = parseInvite(text);
    const known = await this.#knownAs(invite);
    // whoever knows a room's id could otherwise lock us out of it by an invite
    if (known === 'other') {
      throw new TabmeshError('conflict', `this browser is in “${invite.roomName}” by another secret`, {
        hint: 'If the invite is right, leave the room in Settings first, then open the invite again.',
      });
    }
    const before = known === 'unknown' ? invite : (await this.#rooms.get(invite.room)).invite;
    const relays = [...new Set([...invite.relays, ...before.relays])].slice(0, MAX_RELAYS);
    const told = [...new Set([...(invite.told ?? []), ...(before.told ?? [])])].filter((way) => !relays.includes(way));
    const joined: Invite = {
      // an invite of before the secret changed still names relays
      ...(known === 'older' ? before : invite),
      origin: invite.origin ?? before.origin,
      relays,
      told: told.slice(0, MAX_RELAYS - relays.length),
      access: { ...before.access, ...invite.access },
    };
    await this.#rooms.put(joined);
    return this.#openInvite(joined);
  }

  async openRoom(room: RoomId): Promise<RoomClient> {
    return this.#openInvite((await this.#rooms.get(room)).invite);
  }

  async forgetRoom(room: RoomId): Promise<void> {
    await this.#rooms.forget(room);
    await deleteRoomStorage(room);
  }

  async startOver(room: RoomId): Promise<RoomClient> {
    await this.#open?.close();
    this.#open = null;
    const { startOver } = await import('./tab/start-over.ts');
    return startOver({
      room,
      old: await deviceKeyIn(room, this.#deviceKey, this.#store),
      deviceStore: this.#store,
      open: () => this.openRoom(room),
    });
  }

  async eraseBrowser(): Promise<void> {
    await this.#open?.close();
    this.#open = null;
    await this.#store.close();
    await deleteEverything();
    localStorage.clear();
    sessionStorage.clear();
  }

  async settings(): Promise<Settings> {
    // of before one could set TURN servers, when there are none
    return { ...NO_SETTINGS, ...(await this.#store.get<Partial<Settings>>(SETTINGS)) };
  }

  async saveSettings(settings: Settings): Promise<void> {
    const turn = settings.turn.map((server) => ({ ...server, urls: [...server.urls] }));
    const { stun, github } = settings;
    const plain: Settings = { stun: [...stun], turn, github: github === null ? null : { ...github } };
    await this.#store.put(SETTINGS, plain);
    await this.#open?.apply(plain);
  }

  async storage(): ReturnType<AppHost['storage']> {
    const [{ usage, quota }, persisted] = await Promise.all([
      navigator.storage.estimate(),
      navigator.storage.persisted(),
    ]);
    return { usedBytes: usage ?? null, quotaBytes: quota ?? null, persisted };
  }

  persist(): Promise<boolean> {
    return navigator.storage.persist();
  }

  exportRoom(room: RoomId): Promise<Blob> {
    return exportStoredRoom(room);
  }

  /** Whether the invite's room is known here, by this secret, one of an older or newer epoch, or another. */
  async #knownAs(invite: Invite): Promise<'same' | 'older' | 'newer' | 'other' | 'unknown'> {
    if (!(await this.#rooms.has(invite.room))) return 'unknown';
    const { invite: ours } = await this.#rooms.get(invite.room);
    // a room without an owner has one epoch only
    if (ours.epoch !== invite.epoch && ours.origin !== null) return invite.epoch < ours.epoch ? 'older' : 'newer';
    return ours.epoch === invite.epoch && equalConstantTime(ours.secret, invite.secret) ? 'same' : 'other';
  }

  /** The access keys of relays that this browser has learned from invites, newest last, and from this page's relay. */
  async #relayKeys(config: RelayConfig | null): Promise<Invite['access']> {
    const rooms = await this.#rooms.list();
    const learned = rooms.toReversed().flatMap(({ invite }) => Object.entries(invite.access));
    return { ...Object.fromEntries(learned), ...(config === null ? {} : readAccessKey(config)) };
  }

  /** Adds the keys of the invite's relays that this browser knows otherwise, and remembers them with the room. */
  async #withKeys(invite: Invite): Promise<Invite> {
    const config = await this.#config;
    const named = (peer: string) => invite.relays.some((address) => address.endsWith(`/p2p/${peer}`));
    const known = Object.entries(await this.#relayKeys(config)).filter(([peer]) => named(peer));
    // the relay's own word is newer than the invite's
    const told = config === null || !named(config.peerId) ? {} : readAccessKey(config);
    const access = { ...Object.fromEntries(known), ...invite.access, ...told };
    const same = Object.entries(access).every(([peer, key]) => equalConstantTime(key, invite.access[peer] ?? NO_KEY));
    if (same) return invite;
    const whole = { ...invite, access };
    await this.#rooms.put(whole);
    return whole;
  }

  async #openInvite(remembered: Invite): Promise<RoomClient> {
    await this.#open?.close();
    this.#open = null;
    const invite = await this.#withKeys(remembered);
    const room = await openTabRoom({
      invite,
      remember: (secret) => this.#rooms.renew(secret),
      rememberKey: async (relay, key) => {
        const { invite: now } = await this.#rooms.get(invite.room);
        await this.#rooms.put({ ...now, access: { ...now.access, [relay]: key } });
      },
      deviceStore: this.#store,
      deviceKey: await deviceKeyIn(invite.room, this.#deviceKey, this.#store),
      deviceName: () => this.#name,
      settings: await this.settings(),
      config: await this.#config,
      ...(this.#mcp === undefined ? {} : { mcp: this.#mcp }),
      log: consoleLog,
    });
    this.#open = room;
    try {
      await this.#rooms.markOpened(invite.room, systemClock.now());
    } catch (thrown) {
      // the order of the rooms is a convenience; a full store must not keep away what it holds
      if (toTabmeshError(thrown).code !== 'quota_exceeded') throw thrown;
      consoleLog.warn('not noted when this room was opened', { reason: toTabmeshError(thrown).message });
    }
    const client = createRoomClient(invite, room);
    return {
      ...client,
      close: async () => {
        if (this.#open === room) this.#open = null;
        await client.close();
      },
    };
  }
}
