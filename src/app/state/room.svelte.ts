import { createContext } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';
import type { AppHost, RoomClient } from '../../contracts/app.ts';
import type { Connection, MeshPeer, RelayStatus, RoomMemberList } from '../../contracts/mesh.ts';
import type { PeerFinding } from '../../contracts/peer-finding.ts';
import type { RoomDataset } from '../../contracts/ports.ts';
import type { RoomTool } from '../../contracts/tools.ts';
import type { RunState } from '../../contracts/workflow.ts';
import type { PeerId } from '../../lib/ids.ts';
import { LatencyHistory, type LatencySample } from './latency-history.ts';

/** The open room for Svelte: snapshots that are read again whenever the room announces a change. */
export class LiveRoom {
  readonly client: RoomClient;
  readonly host: AppHost;
  readonly #track: () => void;
  readonly #latencies = new LatencyHistory();

  constructor(client: RoomClient, host: AppHost) {
    this.client = client;
    this.host = host;
    this.#track = createSubscriber((update) => client.subscribe(update));
    // also while nobody looks: what was slow a minute ago is asked for afterwards. Ends with the client
    client.subscribe(() => {
      this.#latencies.record(client.peers(), Date.now());
    });
  }

  get connection(): Connection {
    this.#track();
    return this.client.connection();
  }

  get peers(): readonly MeshPeer[] {
    this.#track();
    return this.client.peers();
  }

  /** round trips to a peer since the room was opened, oldest first */
  latencies(peer: PeerId): readonly LatencySample[] {
    this.#track();
    return this.#latencies.of(peer);
  }

  get relays(): readonly RelayStatus[] {
    this.#track();
    return this.client.relays();
  }

  /** how peers were looked for, and the network reached */
  get finding(): PeerFinding {
    this.#track();
    return this.client.finding();
  }

  get members(): RoomMemberList {
    this.#track();
    return this.client.members();
  }

  /** changes with the room's secret */
  get inviteLink(): string {
    this.#track();
    return this.client.inviteLink();
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
