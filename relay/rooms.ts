import type { McpObject, McpProvider } from '../src/contracts/mcp.ts';
import type { MeshPeer } from '../src/contracts/mesh.ts';
import type { Principal, RoomTools } from '../src/contracts/tools.ts';
import type { RunState } from '../src/contracts/workflow.ts';
import type { DeviceId, PeerId, RoomId } from '../src/lib/ids.ts';
import type { RequestOptions } from '../src/mesh/rpc/asked.ts';

/** The relay as a member of one room: what its HTTP side needs of it. */
export interface RoomGateway {
  readonly room: RoomId;
  /** the relay's peer in this room */
  readonly self: PeerId;
  readonly tools: RoomTools;
  readonly mcp: RoomMcp;
  /** Whether a device belongs to the room, as far as the relay's peer knows: what stands for a blocked one counts no more. */
  admits(device: DeviceId): boolean;
  /** called after who belongs to the room may have changed; returns the unsubscribe function */
  watchMembers(listener: () => void): () => void;
  /** who is in the room, as far as the relay's peer knows */
  peers(): readonly MeshPeer[];
  /** what the relay's peer has run itself */
  runs(): readonly RunState[];
  /** called after one of these runs has changed; returns the unsubscribe function */
  watchRuns(listener: () => void): () => void;
}

/** The MCP servers of a room, as one of its members reaches them. */
export interface RoomMcp {
  /** this relay's own */
  readonly own: McpProvider;
  /** on whose behalf it asks what nobody else wants to know */
  self(): Extract<Principal, { readonly kind: 'device' }>;
  /** the members that it is linked to */
  peers(): readonly PeerId[];
  /** One request to a member. @throws what it answers; `peer_unreachable` */
  forward(
    peer: PeerId,
    method: string,
    params: McpObject,
    principal: Principal,
    options: RequestOptions,
  ): Promise<unknown>;
}

/** The rooms of which the relay is a member. */
export interface Rooms {
  byId(id: RoomId): RoomGateway | undefined;
  /** the room of the owner's token; undefined for a relay that is a member of none */
  readonly default: RoomGateway | undefined;
  all(): readonly RoomGateway[];
}
