import type {
  CallOptions,
  CallRequest,
  CallResult,
  Place,
  RoomTool,
  RoomTools,
  RouteExplanation,
  ToolMetadata,
} from '../../src/contracts/tools.ts';
import { METADATA_DEFAULTS } from '../../src/contracts/tools.ts';
import { TabmeshError, toTabmeshError } from '../../src/lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../src/lib/ids.ts';
import { createListeners } from '../../src/lib/listeners.ts';
import type { RoomGateway } from '../../relay/rooms.ts';
import { memoryMcp } from './memory-mcp.ts';

export interface MemoryTool {
  readonly metadata: ToolMetadata;
  readonly run: (args: unknown, options: CallOptions, request: CallRequest) => unknown;
}

/** A room whose tools are functions in this process; every call that reached it is in `calls`. */
export interface MemoryRoom extends RoomGateway {
  readonly calls: CallRequest[];
  set(tools: readonly MemoryTool[]): void;
  /** puts a device out */
  block(device: DeviceId): void;
}

const tab: Place = {
  kind: 'peer',
  peer: '12D3KooWTab' as PeerId,
  device: '12D3KooWTabDevice' as DeviceId,
  name: 'Amber Heron · 7f3k2q',
};

/** A tool called `name` that runs `run`. */
export function memoryTool(name: string, run: MemoryTool['run'], metadata: Partial<ToolMetadata> = {}): MemoryTool {
  return {
    run,
    metadata: {
      name,
      category: 'test',
      description: `The ${name} tool.`,
      runtime: 'mesh',
      access: 'read',
      annotations: {
        title: name,
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object' },
      ...METADATA_DEFAULTS,
      timeoutMs: 5_000,
      schemaVersion: '1',
      ...metadata,
    },
  };
}

/** The smallest tool; `/ready` calls it. */
export const echoTool = memoryTool('echo', (args) => ({ text: (args as { text: string }).text }), {
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  outputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
});

/** Makes a {@link MemoryRoom}. */
export function memoryRoom(
  id: string,
  initial: readonly MemoryTool[] = [echoTool],
  mcp: RoomGateway['mcp'] = memoryMcp(),
): MemoryRoom {
  let tools = initial;
  const listeners = createListeners();
  const blocked = new Set<DeviceId>();
  const members = createListeners();
  const calls: CallRequest[] = [];
  const call = async (request: CallRequest, options: CallOptions = {}): Promise<CallResult> => {
    calls.push(request);
    const tool = tools.find(({ metadata }) => metadata.name === request.tool);
    if (tool === undefined) {
      const error = new TabmeshError('unknown_tool', `there is no tool named "${request.tool}" in this room`);
      return { ok: false, error: error.toWire(), route: null, tookMs: 0 };
    }
    try {
      const value = await tool.run(request.args, options, request);
      return { ok: true, value, route: route(tool.metadata), tookMs: 1 };
    } catch (error) {
      return { ok: false, error: toTabmeshError(error).toWire(), route: route(tool.metadata), tookMs: 1 };
    }
  };
  const roomTools: RoomTools = {
    list: (): RoomTool[] => tools.map(({ metadata }) => ({ metadata, places: [tab] })),
    call,
    subscribe: (listener) => listeners.add(listener),
  };
  return {
    room: id as RoomId,
    self: '12D3KooWRelay' as PeerId,
    tools: roomTools,
    mcp,
    admits: (device) => !blocked.has(device),
    watchMembers: (listener) => members.add(listener),
    peers: () => [],
    runs: () => [],
    watchRuns: () => () => undefined,
    calls,
    set(next) {
      tools = next;
      listeners.notify();
    },
    block(device) {
      blocked.add(device);
      members.notify();
    },
  };
}

function route({ name, runtime }: ToolMetadata): RouteExplanation {
  return {
    tool: name,
    runtime,
    chosen: tab,
    candidates: [{ place: tab, score: 1, reasons: ['direct link'], excluded: null }],
  };
}
