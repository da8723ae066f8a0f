import type { AuditPort, AuditSink } from '../../contracts/audit.ts';
import type { BlockStore } from '../../contracts/dataset.ts';
import type { PlatformProbes } from '../../contracts/doctor.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { MeshPeer, RoomOrigin } from '../../contracts/mesh.ts';
import type { RelayOffer } from '../../contracts/replica.ts';
import type { SweepResult, SweepRoots } from '../../data/sweep.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import type { RelayAccess } from '../../mesh/links/relay-link.ts';
import type { MembershipOptions } from '../../mesh/membership/membership.ts';
import type { RelayAddress } from '../../mesh/node/relay-address.ts';
import type { RoomNode } from '../../mesh/node/room-node.ts';
import type { RoomReplica } from '../../mesh/replica/replica.ts';
import type { ExtraMethod } from '../../mesh/rpc/mcp-server.ts';
import type { BlockHold } from '../../mesh/storage/hold.ts';
import type { Tool } from '../../tools/define-tool.ts';
import type { RoomDatasets } from './datasets.ts';
import type { DeviceSearch } from './device-search.ts';
import type { RoomAccessOptions } from './room-access.ts';
import type { DiscoveryPlatform } from './room-network.ts';
import type { RunExecutor } from './run-book.ts';

/** What differs between a tab and the relay process. */
export interface RoomPlatform {
  readonly kind: 'tab' | 'relay';
  readonly peer: PeerId;
  readonly deviceKey: DeviceKey;
  /** the device's name as it is now */
  readonly deviceName: () => string;
  /** who made the room; null for one of before rooms had owners */
  readonly origin: RoomOrigin | null;
  /** as this device remembers it */
  readonly secret: RoomSecret;
  /** makes this device remember the room by its new secret */
  readonly remember: (secret: RoomSecret) => Promise<void>;
  /** that the invite or the page names */
  readonly relays: readonly RelayAddress[];
  /** that the invite names on the word of members */
  readonly toldRelays?: readonly RelayAddress[];
  /** whether this peer uses a relay that a member relay tells of; one with an address of its own needs no more */
  readonly usesRelay: (relay: RelayAddress) => boolean;
  /** how members use the relay that this peer belongs to; null when there is none */
  readonly offer?: () => RelayOffer | null;
  readonly access: RelayAccess;
  /** ways to dial this peer besides a relay's circuit */
  readonly addresses: () => readonly string[];
  /** whether it is reached through relays and by WebRTC, and reaches others so */
  readonly throughRelays: boolean;
  readonly startNode: (membership: MembershipOptions, relays: () => readonly RelayAddress[]) => Promise<RoomNode>;
  readonly replica: RoomReplica;
  /** what the tabs of the device share of who may do what */
  readonly accessShared: RoomAccessOptions['shared'];
  /** small things that this device stores of the room */
  readonly store: KeyValueStore;
  readonly blocks: BlockStore;
  readonly search: DeviceSearch;
  readonly hold: BlockHold;
  /** deletes the device's blocks that belong to none of these: in a worker in a tab, in-process on Node */
  readonly sweep: (roots: SweepRoots, signal: AbortSignal) => Promise<SweepResult>;
  /** @param publish lists a dataset that a run has written, and indexes it */
  readonly executor: (publish: RoomDatasets['publish']) => RunExecutor;
  /** ways to find peers that only this platform has; it may ask for the room's secret as of then */
  readonly discovery: (secret: () => RoomSecret) => DiscoveryPlatform;
  /** what the doctor looks at on this platform */
  readonly probes: PlatformProbes;
  /** what only this platform can run, besides the catalog */
  readonly ownTools: readonly Tool[];
  /** the audit log of this device, or of this process */
  readonly audit: AuditPort & AuditSink;
  /** what it answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  /** served to members beside MCP */
  readonly methods: Readonly<Record<string, ExtraMethod>>;
  readonly visible: () => boolean;
  /** how the device is doing */
  readonly condition: () => Pick<MeshPeer, 'load' | 'battery'>;
  /** of this program */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}
