import type { RoomTools } from '../src/contracts/tools.ts';
import type { PeerId, RoomId } from '../src/lib/ids.ts';

/** The relay as a member of one room: what its HTTP side needs of it. */
export interface RoomGateway {
  readonly room: RoomId;
  /** the relay's peer in this room */
  readonly self: PeerId;
  readonly tools: RoomTools;
}

/** The rooms of which the relay is a member. */
export interface Rooms {
  byId(id: RoomId): RoomGateway | undefined;
  /** the room of the owner's token; undefined for a relay that is a member of none */
  readonly default: RoomGateway | undefined;
}
