import { createContext } from 'svelte';
import type { AppHost, RememberedRoom, RoomClient } from '../../contracts/app.ts';
import type { InvitePreview } from '../../contracts/mesh.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import type { RoomId } from '../../lib/ids.ts';
import { lastRoom, rememberRoom } from './last-room.ts';
import { LiveRoom } from './room.svelte.ts';
import { navigate, route } from './router.svelte.ts';

/** Where the app stands between "nothing loaded" and "in a room". */
export type Phase =
  /** the peer's code loads or a room opens; `name` when we know which */
  | { readonly at: 'starting'; readonly name: string | null }
  /** no room yet: make one or open an invite */
  | { readonly at: 'welcome' }
  /** an invite to a room seen for the first time */
  | { readonly at: 'invited'; readonly invite: string; readonly preview: InvitePreview }
  | { readonly at: 'open'; readonly room: LiveRoom }
  /** the start failed; what is stored can still be exported when `room` is known */
  | { readonly at: 'failed'; readonly error: WireError; readonly room: { id: RoomId; name: string } | null };

/** The app's one session: the host, the rooms it knows and the room that is open. */
export class Session {
  phase = $state.raw<Phase>({ at: 'starting', name: lastRoom()?.name ?? null });
  host = $state.raw<AppHost | null>(null);
  rooms = $state.raw<readonly RememberedRoom[]>([]);
  readonly #loadHost: () => Promise<AppHost>;
  readonly #exportRoom: AppHost['exportRoom'] | undefined;
  /** only the newest request to open something may change the phase */
  #turn = 0;
  /** the room that runs, also while an invite to another one is shown */
  #running: LiveRoom | null = null;

  /** @param exportRoom works also where no host loads */
  constructor(loadHost: () => Promise<AppHost>, exportRoom?: AppHost['exportRoom']) {
    this.#loadHost = loadHost;
    this.#exportRoom = exportRoom;
  }

  /** Loads the host, then goes to the invite, the last room or the welcome page. Failures end in phase `failed`. */
  async start(invite: string | null): Promise<void> {
    const turn = this.#begin(lastRoom()?.name ?? null);
    try {
      this.host ??= await this.#loadHost();
      this.rooms = await this.host.rooms();
      if (turn !== this.#turn) return;
      const [latest] = this.rooms;
      if (invite !== null) await this.receive(invite);
      else if (latest !== undefined) await this.open(latest.id);
      else this.#settle({ at: 'welcome' });
    } catch (thrown) {
      if (turn === this.#turn) this.fail(thrown);
    }
  }

  /**
   * Takes an invite: a known room opens at once, another is shown first.
   * @throws `invalid_input` when the text is not an invite
   */
  async receive(invite: string): Promise<void> {
    const preview = await this.#ready().readInvite(invite);
    if (preview.known) await this.join(invite, preview);
    else this.#settle({ at: 'invited', invite, preview });
  }

  async join(invite: string, preview: InvitePreview): Promise<void> {
    await this.#enter({ id: preview.room, name: preview.roomName }, (host) => host.joinRoom(invite));
  }

  /** @param relayKey where the relay of this page wants one; see `AppHost.wantsRelayKey` */
  async create(name: string, relayKey?: string): Promise<void> {
    await this.#enter(null, (host) => host.createRoom(name, relayKey));
  }

  async open(id: RoomId): Promise<void> {
    const name = this.rooms.find((room) => room.id === id)?.name ?? '';
    await this.#enter({ id, name }, (host) => host.openRoom(id));
  }

  /** Gives this browser a new key in the open room, and opens it again; see `AppHost.startOver`. */
  async startOver(): Promise<void> {
    if (this.phase.at !== 'open') return;
    const { id, name } = this.phase.room.client;
    await this.#enter({ id, name }, (host) => host.startOver(id));
  }

  /** Turns an invite down: back to the room that was open, or to where a visit without invite begins. */
  async decline(): Promise<void> {
    if (this.#running !== null) this.#settle({ at: 'open', room: this.#running });
    else await this.start(null);
  }

  /** Leaves the open room, deletes what this browser holds of it and goes on to the next room. */
  async forget(): Promise<void> {
    if (this.phase.at !== 'open') return;
    const { client } = this.phase.room;
    const turn = this.#begin(null);
    try {
      await this.#leave();
      rememberRoom(null);
      await this.#ready().forgetRoom(client.id);
      if (turn === this.#turn) await this.start(null);
    } catch (thrown) {
      if (turn === this.#turn) this.fail(thrown, { id: client.id, name: client.name });
    }
  }

  /**
   * Leaves a room that is not open and deletes what this browser holds of it.
   * @throws `storage_failed`
   */
  async forgetOther(id: RoomId): Promise<void> {
    const host = this.#ready();
    await host.forgetRoom(id);
    this.rooms = await host.rooms();
  }

  /** Shows the crash screen. */
  fail(thrown: unknown, room: { id: RoomId; name: string } | null = this.current()): void {
    console.error(thrown);
    this.#settle({ at: 'failed', error: toTabmeshError(thrown).toWire(), room });
  }

  /** A function that exports what this browser stores of a room; null where there is none. */
  get exporter(): AppHost['exportRoom'] | null {
    const { host } = this;
    return this.#exportRoom ?? (host === null ? null : (room) => host.exportRoom(room));
  }

  async #enter(
    target: { id: RoomId; name: string } | null,
    enter: (host: AppHost) => Promise<RoomClient>,
  ): Promise<void> {
    const turn = this.#begin(target?.name ?? null);
    try {
      await this.#leave();
      const host = this.#ready();
      const client = await enter(host);
      if (turn !== this.#turn) {
        closeQuietly(client);
        return;
      }
      this.rooms = await host.rooms();
      rememberRoom(client);
      const room = new LiveRoom(client, host);
      // a room with something in it opens where one works; a fresh one where one begins
      if (route.view === 'home' && !isFresh(client)) navigate('/research', { replace: true });
      this.#running = room;
      this.#settle({ at: 'open', room });
    } catch (thrown) {
      if (turn === this.#turn) this.fail(thrown, target);
    }
  }

  async #leave(): Promise<void> {
    const room = this.#running;
    this.#running = null;
    await room?.client.close();
  }

  #begin(name: string | null): number {
    this.phase = { at: 'starting', name };
    return (this.#turn += 1);
  }

  #settle(phase: Phase): void {
    this.#turn += 1;
    this.phase = phase;
  }

  /** The room whose data a crash screen offers to export, or null. */
  current(): { id: RoomId; name: string } | null {
    return this.phase.at === 'open' ? this.phase.room.client : lastRoom();
  }

  #ready(): AppHost {
    if (this.host === null) throw new Error('the host has not loaded');
    return this.host;
  }
}

/** `useSession()` gives the session: call during component initialisation. */
export const [useSession, provideSession] = createContext<Session>();

function isFresh(room: RoomClient): boolean {
  return room.datasets().length === 0 && room.runs().length === 0;
}

function closeQuietly(room: RoomClient): void {
  room.close().catch((error: unknown) => {
    console.warn('a room that was left did not close cleanly', error);
  });
}
