import type { AuditPort, AuditSink } from '../src/contracts/audit.ts';
import type { FetchPort } from '../src/contracts/fetch.ts';
import type { McpProvider } from '../src/contracts/mcp.ts';
import type { FetchTicket } from '../src/contracts/relay.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { DeviceId, PeerId, RoomId } from '../src/lib/ids.ts';
import type { Log } from '../src/lib/log.ts';
import type { OutsideServices } from '../src/peer/node/outside.ts';
import type { SampleSource } from './http/metrics-text.ts';
import type { IceConfig } from './ice.ts';
import type { RoomChoice } from './config/parse.ts';
import type { RelayUrls } from './config/urls.ts';
import type { Rooms } from './rooms.ts';
import type { Tokens } from './tokens/tokens.ts';
import type { TakeUpgrade } from './http/upgrade.ts';

/** What the libp2p side is given by the process. */
export interface RelayPeersOptions {
  /** absolute; exists, is locked for this process, and is ours to fill */
  readonly dataDir: string;
  readonly room: RoomChoice;
  /** anyone may use the relay */
  readonly openRelay: boolean;
  /** where to listen for WebRTC-Direct, and what to announce of it; null without */
  readonly direct: { readonly listen: string; readonly announce: readonly string[] } | null;
  /** STUN and TURN servers that peers are told of */
  readonly ice: IceConfig;
  /** what the relay's peer asks of services outside */
  readonly outside: OutsideServices;
  /** the port is open already, and answers "starting" until the peers are there */
  readonly urls: RelayUrls;
  /** outgoing requests of the relay's own peer, under the same checks and upstream mapping as `/fetch` */
  readonly fetch: FetchPort;
  /** a ticket for `/fetch`, for a member that asked over the mesh */
  readonly issueTicket: (holder: { readonly room: RoomId; readonly device: DeviceId }) => FetchTicket;
  /** of the AI clients of members, who make, see and take back their own over the mesh */
  readonly tokens: Pick<Tokens, 'create' | 'list' | 'revoke'>;
  /** what its peers do for others is written into it; the audit tools read it */
  readonly audit: AuditPort & AuditSink;
  /** the address that upstream services are told */
  readonly contact: string;
  /** what its peer in the room answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  readonly clock: Clock;
  readonly log: Log;
  /** fires when the process is told to stop while it is still starting */
  readonly signal: AbortSignal;
}

/** The libp2p side, running. */
export interface RelayPeers {
  readonly rooms: Rooms;
  /** of the relay's own node, which introduces peers; of the peer in the room where there is no relay */
  readonly peerId: PeerId;
  /** of the relay's own node, with peer id; none where there is no relay */
  readonly multiaddrs: readonly string[];
  /** whole link to the room of the relay; null when it is a member of none */
  readonly invite: string | null;
  readonly room: RoomId | null;
  /** the key that is in the relay's own invite, as it is now; null when it wants none */
  accessKey(): Uint8Array | null;
  /**
   * Where a WebSocket upgrade goes.
   * @param path of the request, without query
   * @returns the node that takes it; undefined when none is there
   */
  upgradeTaker(path: string): TakeUpgrade | undefined;
  /** what the nodes have open, and how calls went in the room */
  readonly samples: SampleSource;
  /** stops every node; best effort and total */
  close(): Promise<void>;
}

/** Starts the libp2p side. @throws TabmeshError; nothing is left running then */
export type StartRelayPeers = (options: RelayPeersOptions) => Promise<RelayPeers>;
