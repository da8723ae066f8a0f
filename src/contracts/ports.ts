import type { CidString, DeviceId, PeerId, RunId } from '../lib/ids.ts';
import type { ApprovalsPort } from './approvals.ts';
import type { AuditPort } from './audit.ts';
import type { DatasetManifest, DatasetSummary, RecordEntry } from './dataset.ts';
import type { DoctorPort } from './doctor.ts';
import type { GrantsPort } from './grants.ts';
import type { RoomState } from './replica.ts';
import type { RoomSearchResult, ShardAnswer, SearchRequest } from './search.ts';
import type { Json, RunState, StepProgress } from './workflow.ts';
import type { MeshPeer, RoomMemberList } from './mesh.ts';
import type { PeerNetwork } from './peer-network.ts';
import type { Principal } from './tools.ts';
import type { RoutingPort } from './routing.ts';

/** What a tool may reach. Each port is one folder's offer; a tool makes one call through one of them. */
export interface Ports {
  readonly self: {
    readonly peer: PeerId;
    readonly device: DeviceId;
    readonly name: string;
    readonly kind: 'tab' | 'relay';
  };
  readonly runs: RunsPort;
  readonly search: SearchPort;
  readonly datasets: DatasetsPort;
  readonly mesh: MeshPort;
  readonly members: MembersPort;
  readonly network: PeerNetwork;
  readonly doctor: DoctorPort;
  readonly routing: RoutingPort;
  readonly access: AccessPorts;
  /** what was asked of this device or process, and decided here */
  readonly audit: AuditPort;
}

/** Who may do what at this device. Each is fetched when it is first asked for. */
export interface AccessPorts {
  /** @throws `format_newer`, `corrupt`, `storage_failed` */
  approvals(): Promise<ApprovalsPort>;
  grants(): Promise<GrantsPort>;
}

/** Who belongs to the room, and the changes that its owners make. */
export interface MembersPort {
  list(): RoomMemberList;
  /** Changes the room's secret: every invite of before is void. @throws `forbidden` when this device does not own the room */
  rotate(): Promise<void>;
  /** Puts a device out, with a new secret that it cannot get. @throws `forbidden`, `not_found`, `invalid_input` */
  block(device: DeviceId): Promise<void>;
  /** Lets a blocked device in again. It fetches the secret by itself. @throws as `block` */
  unblock(device: DeviceId): Promise<void>;
  /** Makes a device an owner beside the room's maker. @throws as `block` */
  appoint(device: DeviceId): Promise<void>;
}

export interface RunsPort {
  /**
   * Starts a run of a known workflow here and waits for its end.
   * @param workflow id of a registered definition, e.g. `collect_literature`
   * @returns the run's result
   * @throws the run's error when it fails; `cancelled` when `signal` fires (the run is cancelled too)
   */
  run(
    workflow: string,
    inputs: Json,
    options: {
      readonly signal: AbortSignal;
      readonly onProgress?: (step: string, p: StepProgress) => void;
      readonly onStarted?: (id: RunId) => void;
    },
  ): Promise<Json>;
  get(id: RunId): RunState | undefined;
  list(): readonly RunState[];
}

/** Of a call that a tool answers by asking others: as its context has it. */
export interface AskedFor {
  readonly principal: Principal;
  readonly traceparent?: string;
}

export interface SearchPort {
  /**
   * All devices of the room that hold shards.
   * @param caller on whose behalf, and in which trace, the others are asked; this peer's own when absent
   */
  searchRoom(request: SearchRequest, signal: AbortSignal, caller?: AskedFor): Promise<RoomSearchResult>;
  /** this device's shard alone; what the others' fan-out calls */
  searchShard(request: SearchRequest, signal: AbortSignal): Promise<ShardAnswer>;
  related(recordId: string, topK: number, signal: AbortSignal): Promise<ShardAnswer>;
}

export interface DatasetsPort {
  list(): readonly RoomDataset[];
  manifest(data: CidString, signal: AbortSignal): Promise<DatasetManifest>;
  /** records in order of record id, from `offset`; fetched over Bitswap where not held here */
  records(data: CidString, offset: number, limit: number, signal: AbortSignal): Promise<readonly RecordEntry[]>;
  record(cid: CidString, signal: AbortSignal): Promise<RecordEntry>;
  /** deletes this device's copy and its part of the index. @throws `not_found`, `conflict` while something is written here */
  delete(data: CidString, signal: AbortSignal): Promise<void>;
  /** fetches a dataset that another device holds, keeps and indexes it here. @throws `not_found` */
  keep(data: CidString, signal: AbortSignal): Promise<void>;
}

/** A dataset of the room with the devices that hold it. */
export interface RoomDataset extends DatasetSummary {
  readonly holders: readonly {
    readonly device: DeviceId;
    readonly name: string;
    readonly online: boolean;
    readonly self: boolean;
  }[];
}

export interface MeshPort {
  peers(): readonly MeshPeer[];
  room(): RoomState;
}
