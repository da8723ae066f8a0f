import type { Ports, RunsPort } from '../../contracts/ports.ts';
import type { Replica } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import type { RoomDatasets } from './datasets.ts';
import type { RoomSearch } from './room-search.ts';
import type { RunBook } from './run-book.ts';

/** What this peer's tools may reach. */
export function createPorts(parts: {
  readonly self: () => Ports['self'];
  readonly runs: RunBook;
  readonly search: RoomSearch;
  readonly datasets: RoomDatasets;
  readonly mesh: () => RoomMesh;
  readonly replica: Replica;
  readonly members: Ports['members'];
  readonly network: () => Ports['network'];
  readonly doctor: () => Ports['doctor'];
  readonly routing: () => Ports['routing'];
  readonly access: Ports['access'];
  readonly audit: Ports['audit'];
}): Ports {
  return {
    // a device can be renamed while it is here
    get self() {
      return parts.self();
    },
    runs: runsPort(parts.runs),
    search: parts.search,
    datasets: parts.datasets,
    access: parts.access,
    members: parts.members,
    audit: parts.audit,
    // made after the tools, which it serves
    get network() {
      return parts.network();
    },
    get doctor() {
      return parts.doctor();
    },
    get routing() {
      return parts.routing();
    },
    mesh: { peers: () => parts.mesh().peers(), room: () => parts.replica.state() },
  };
}

function runsPort(runs: RunBook): RunsPort {
  return {
    get: (id) => runs.get(id),
    list: () => runs.list(),
    async run(workflow, inputs, { signal, onProgress, onStarted }) {
      const { id, ended } = runs.start(workflow, inputs, {
        signal,
        onState: (state) => {
          for (const [step, progress] of runningSteps(state)) onProgress?.(step, progress);
        },
      });
      onStarted?.(id);
      const state = await ended;
      if (state.status === 'completed') return state.result;
      if (state.status === 'failed') throw TabmeshError.fromWire(state.error);
      throw new TabmeshError('cancelled', 'the run was cancelled', { details: { run: id } });
    },
  };
}

function* runningSteps(state: ReturnType<RunBook['list']>[number]) {
  for (const [step, current] of Object.entries(state.steps)) {
    if (current.status === 'running' && current.progress !== null) yield [step, current.progress] as const;
  }
}
