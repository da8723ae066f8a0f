import type { MeshPeer } from '../../contracts/mesh.ts';
import type { DatasetsPort } from '../../contracts/ports.ts';
import type { RoomState } from '../../contracts/replica.ts';
import type { Principal, ToolMetadata } from '../../contracts/tools.ts';
import type { RunState } from '../../contracts/workflow.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId, RunId } from '../../lib/ids.ts';

/** What a peer's resources and prompts are made of. */
export interface McpSources {
  readonly self: PeerId;
  readonly datasets: DatasetsPort;
  readonly runs: { list(): readonly RunState[]; get(id: RunId): RunState | undefined };
  readonly room: () => RoomState;
  readonly peers: () => readonly MeshPeer[];
  readonly tools: () => readonly ToolMetadata[];
  /** @throws `unauthorized`, `forbidden` when somebody may not read the room */
  readonly mayRead: (principal: Principal) => void;
  /** called after any of these has changed; returns what takes it back */
  readonly subscribe: (listener: () => void) => () => void;
  readonly clock: Clock;
}
