import type { Runtime } from '../contracts/tools.ts';

/** Parts of a name that tell of work among peers (`spec/1` §2.1, rule 6). */
const MESH_NAMES = ['p2p_', 'workflow', 'taskqueue', 'peer_', 'bootstrap'];

export interface RuntimeDetectorOptions {
  /** what this peer itself knows of a tool: it comes before what anybody else says */
  readonly declared: (tool: string) => Runtime | undefined;
  /** of a tool of which nothing is known */
  readonly byDefault?: Runtime;
}

/** Finds out where a tool belongs, in the order of `spec/1` §2.1. */
export interface RuntimeDetector {
  /**
   * What was detected before; else what this peer declares, what the tool's record says, what its name tells, the default.
   * `auto` is no answer: the next in the order is asked.
   * @param offered of the tool's own record; of another peer's tool, the reader of its record (`src/mesh/rpc/tool-metadata.ts`)
   *   has looked at its attribute and module. Undefined without a record: only the name counts then, and nothing is remembered
   */
  detect(tool: string, offered: Runtime | undefined): Runtime;
  /** The tools of the room have changed: what was detected of them may be so no more. */
  invalidate(): void;
}

/** Makes a {@link RuntimeDetector} that has detected nothing yet. */
export function createRuntimeDetector({ declared, byDefault = 'auto' }: RuntimeDetectorOptions): RuntimeDetector {
  const detected = new Map<string, Runtime>();
  return {
    detect(tool, offered) {
      if (offered === undefined) return byName(tool) ?? byDefault;
      const before = detected.get(tool);
      if (before !== undefined) return before;
      const said = [declared(tool), offered].find((runtime) => runtime !== undefined && runtime !== 'auto');
      const runtime = said ?? byName(tool) ?? byDefault;
      detected.set(tool, runtime);
      return runtime;
    },
    invalidate() {
      detected.clear();
    },
  };
}

function byName(tool: string): Runtime | undefined {
  const name = tool.toLowerCase();
  return MESH_NAMES.some((part) => name.includes(part)) ? 'mesh' : undefined;
}
