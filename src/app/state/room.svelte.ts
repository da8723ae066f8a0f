import { createContext } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';
import type { AppHost, RoomClient } from '../../contracts/app.ts';
import type { Connection, MeshPeer } from '../../contracts/mesh.ts';
import type { RoomDataset } from '../../contracts/ports.ts';
import type { RoomTool } from '../../contracts/tools.ts';
import type { RunState } from '../../contracts/workflow.ts';

/** The open room for Svelte: snapshots that are read again whenever the room announces a change. */
export class LiveRoom {
  readonly client: RoomClient;
  readonly host: AppHost;
  readonly #track: () => void;

  constructor(client: RoomClient, host: AppHost) {
    this.client = client;
    this.host = host;
    this.#track = createSubscriber((update) => client.subscribe(update));
  }

  get connection(): Connection {
    this.#track();
    return this.client.connection();
  }

  get peers(): readonly MeshPeer[] {
    this.#track();
    return this.client.peers();
  }

  get tools(): readonly RoomTool[] {
    this.#track();
    return this.client.tools();
  }

  get datasets(): readonly RoomDataset[] {
    this.#track();
    return this.client.datasets();
  }

  /** newest first */
  get runs(): readonly RunState[] {
    this.#track();
    return this.client.runs();
  }
}

/** `useRoom()` gives the room that the view is in: call during component initialisation. */
export const [useRoom, provideRoom] = createContext<LiveRoom>();
