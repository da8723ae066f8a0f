import type { CidString, DeviceId, PeerId, RoomId, RunId } from '../lib/ids.ts';
import type { TokenInfo, TokenRequest } from './access.ts';
import type { ApprovalsPort } from './approvals.ts';
import type { AuditPort } from './audit.ts';
import type { WatchedCall } from './calls.ts';
import type { DatasetManifest, DatasetSummary, RecordEntry } from './dataset.ts';
import type { DoctorReport, ExamineOptions } from './doctor.ts';
import type { GrantsPort, HeldGrantsPort } from './grants.ts';
import type { Connection, InvitePreview, MeshPeer, RelayStatus, RoomMemberList } from './mesh.ts';
import type { PeerFinding } from './peer-finding.ts';
import type { RoomDataset } from './ports.ts';
import type { ClientToken, IceServer } from './relay.ts';
import type { ToolMetricsReport } from './routing.ts';
import type { RoomSearchResult, SearchRequest, ShardAnswer } from './search.ts';
import type { CallOptions, CallResult, RoomTool, RoutePlan, ToolMetadata } from './tools.ts';
import type { RunState } from './workflow.ts';

/**
 * What the app (Svelte) sees. `src/peer/tab.ts` implements it; the app imports nothing else of the product.
 * Values are snapshots; `subscribe` announces that one changed. Every method may throw a TabmeshError.
 */
export interface AppHost {
  /** as the open room knows it: a device may have another key there than elsewhere */
  readonly device: { readonly id: DeviceId; readonly name: string };
  rename(name: string): Promise<void>;
  /** rooms this browser has joined, most recently opened first */
  rooms(): Promise<readonly RememberedRoom[]>;
  /** reads an invite link or its fragment. @throws `invalid_input` */
  readInvite(text: string): Promise<InvitePreview>;
  /**
   * A new room with a new secret; the relay of this page's origin introduces its peers but is not a member.
   * @param relayKey its access key, where it wants one that this browser does not know
   * @throws `invalid_input`, `unauthorized` when the key is missing
   */
  createRoom(name: string, relayKey?: string): Promise<RoomClient>;
  /** whether the relay of this page lets a new room in only by a key that this browser does not know */
  wantsRelayKey(): Promise<boolean>;
  /** @throws `invalid_input`, `format_newer`, `storage_failed` */
  joinRoom(invite: string): Promise<RoomClient>;
  openRoom(room: RoomId): Promise<RoomClient>;
  /** forgets the room and deletes what this browser holds of it; the room must be closed first */
  forgetRoom(room: RoomId): Promise<void>;
  /**
   * Gives this device a new key in one room, where its old one is used by a copy of it, and opens the room: its whole
   * datasets are listed and indexed again, its runs are deleted. The room must be closed first, in every tab.
   * @throws `storage_failed`, `quota_exceeded`; the datasets' blocks are kept then
   */
  startOver(room: RoomId): Promise<RoomClient>;
  /** deletes every room, key and setting of this browser */
  eraseBrowser(): Promise<void>;
  settings(): Promise<Settings>;
  /** takes effect at once, for links that are made from then on */
  saveSettings(settings: Settings): Promise<void>;
  storage(): Promise<StorageInfo>;
  /** asks the browser to keep the data. @returns whether it will */
  persist(): Promise<boolean>;
  /** every dataset of a room as one CAR, read straight from storage: works when everything else has crashed */
  exportRoom(room: RoomId): Promise<Blob>;
}

export interface RememberedRoom {
  readonly id: RoomId;
  readonly name: string;
  readonly openedAt: number;
  readonly relays: readonly string[];
}

export interface Settings {
  /** STUN urls; empty by default: nothing calls out unless asked */
  readonly stun: readonly string[];
  /** TURN servers of one's own, with credentials that stay the same */
  readonly turn: readonly IceServer[];
  /** null: nobody is found by way of GitHub */
  readonly github: GithubSettings | null;
}

/** The issues of a repository as a place where members find each other. */
export interface GithubSettings {
  /** `owner/repo` */
  readonly repository: string;
  /** may read and write its issues; stays in this browser and goes to GitHub only */
  readonly token: string;
}

export interface StorageInfo {
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
  readonly persisted: boolean;
}

/** One open room. */
export interface RoomClient {
  readonly id: RoomId;
  readonly name: string;
  readonly self: PeerId;
  /** called after any of the snapshots below changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
  connection(): Connection;
  /** the relays that this peer uses to find others */
  relays(): readonly RelayStatus[];
  /** tries the relays that are offline now instead of when their wait is over */
  retryRelays(): void;
  /** Remembers a relay's access key with this room, and tries it now. @throws `invalid_input` for a text that is no key */
  enterRelayKey(relay: PeerId, key: string): Promise<void>;
  /** how peers were looked for, and the network reached */
  finding(): PeerFinding;
  /** Looks for peers in every way there is, and tries every relay; follow it in `finding()`. */
  findPeers(signal: AbortSignal): Promise<void>;
  /** Examines how this peer is connected; see `DoctorPort`. @throws only when the signal fires */
  examine(options: ExamineOptions): Promise<DoctorReport>;
  peers(): readonly MeshPeer[];
  tools(): readonly RoomTool[];
  datasets(): readonly RoomDataset[];
  /** newest first */
  runs(): readonly RunState[];
  /** invite link with secret, for this origin */
  inviteLink(): string;

  /** devices that belong or no longer belong to the room */
  members(): RoomMemberList;
  /** a new secret: invites of before are void; members get it by themselves. @throws `forbidden` when this device does not own the room */
  changeSecret(): Promise<void>;
  /** puts a device out. What it has fetched stays with it. @throws `forbidden`, `invalid_input` */
  blockDevice(device: DeviceId): Promise<void>;
  /** @throws as `blockDevice` */
  unblockDevice(device: DeviceId): Promise<void>;
  /** lets a device own the room beside its maker. @throws as `blockDevice` */
  appointOwner(device: DeviceId): Promise<void>;

  /** what calls from elsewhere may do at this device; read from storage when it is first asked for */
  approvals(): Promise<ApprovalsPort>;
  /** delegation tokens of this device */
  grants(): Promise<GrantsPort>;
  /** delegation tokens that this device was given: `call` with a place shows the one that is about it */
  heldGrants(): Promise<HeldGrantsPort>;

  /** starts `collect_literature` here and returns at once; follow it in `runs()` */
  collect(inputs: { readonly query: string; readonly max_results: number }): Promise<RunId>;
  /** starts again with the same inputs */
  retryRun(id: RunId): Promise<RunId>;
  cancelRun(id: RunId): void;
  deleteRun(id: RunId): Promise<void>;

  search(request: SearchRequest, signal: AbortSignal): Promise<RoomSearchResult>;
  related(recordId: string, topK: number, signal: AbortSignal): Promise<ShardAnswer>;
  record(cid: CidString, signal: AbortSignal): Promise<RecordEntry>;

  manifest(data: CidString, signal: AbortSignal): Promise<DatasetManifest>;
  records(data: CidString, offset: number, limit: number, signal: AbortSignal): Promise<readonly RecordEntry[]>;
  exportDataset(data: CidString, signal: AbortSignal): Promise<Blob>;
  /** stores and indexes the datasets of a CAR file. @throws `corrupt`, `format_newer`, `quota_exceeded`; nothing is kept then */
  importDatasets(car: Blob, signal: AbortSignal): Promise<readonly DatasetSummary[]>;
  /** deletes this device's copy and its part of the index */
  deleteDataset(data: CidString): Promise<void>;
  /** fetches a dataset that another device holds, keeps and indexes it here */
  keepDataset(data: CidString, signal: AbortSignal): Promise<void>;

  call(tool: string, args: unknown, options?: CallOptions & { readonly place?: PeerId }): Promise<CallResult>;
  /** the tools of this peer itself, as it describes them: what `tools()` says may be another peer's word */
  ownTools(): readonly ToolMetadata[];
  /** Where a call would run now; nothing runs. @param place null: the router chooses. @throws `unknown_tool` */
  explainRoute(tool: string, args: unknown, place: PeerId | null): Promise<RoutePlan>;
  /** how calls went here since the room was opened */
  callMetrics(signal: AbortSignal): Promise<ToolMetricsReport>;
  /** Tries places again that are left alone since they failed. @returns how many tools at places */
  resetBreakers(peer: PeerId | null, tool: string | null): Promise<number>;
  /**
   * Tells of the newest calls that were made or served here since the room was opened, oldest first, and of each from now on, as
   * often as something happens to it.
   * @returns what stops it
   */
  watchCalls(listener: (call: WatchedCall) => void): () => void;
  /** this device's log of what others have called here, and of what was decided */
  audit(): AuditPort;
  /**
   * A token of this member's own, made by a member relay.
   * @param relay which one; any when absent
   * @throws `no_place` when no relay is a member, or that one is away; `invalid_input`, `forbidden`, `rate_limited`
   */
  createClientToken(request: TokenRequest, relay?: PeerId): Promise<ClientToken>;
  /** the tokens that this member has at that relay. @throws `no_place` */
  listClientTokens(relay?: PeerId): Promise<readonly TokenInfo[]>;
  /** Takes one of them back: it is refused from now on. @throws `no_place`, `not_found` */
  revokeClientToken(id: string, relay?: PeerId): Promise<void>;
  /** stops the peer; the data stays */
  close(): Promise<void>;
}
