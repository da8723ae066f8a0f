import type { RoomTool, RoomTools } from '../../../src/contracts/tools.ts';
import { toTabmeshError } from '../../../src/lib/errors.ts';
import { foreignDescription, plainSchema, plainText } from '../../../src/mesh/rpc/mcp-foreign-text.ts';
import type { Pins } from './pins.ts';

/** Longest category of another peer's tool, in characters. */
const MAX_CATEGORY = 64;

/**
 * The tools of a room as every door of this relay shows and calls them: what other peers define only as it was pinned, in
 * words that were cleaned. It lives as long as the room's tools do.
 */
export function trustedTools(tools: RoomTools, pins: Pins): RoomTools {
  let listed: readonly RoomTool[] | null = null;
  const forget = () => {
    listed = null;
  };
  tools.subscribe(forget);
  pins.subscribe(forget);
  const list = () => (listed ??= pins.admitAll(tools.list()).map(plain));
  return {
    list,
    subscribe(listener) {
      const off = [tools.subscribe(listener), pins.subscribe(listener)];
      return () => {
        for (const unsubscribe of off) unsubscribe();
      };
    },
    async call(request, options = {}) {
      // a tool that is new is pinned before it is called
      list();
      let accepts: ReturnType<Pins['accepts']>;
      try {
        accepts = pins.accepts(request.tool);
      } catch (thrown) {
        return { ok: false, error: toTabmeshError(thrown).toWire(), route: null, tookMs: 0 };
      }
      return await tools.call(request, accepts === null ? options : { ...options, accepts });
    },
  };
}

function plain(tool: RoomTool): RoomTool {
  const { metadata, places } = tool;
  if (places.some(({ kind }) => kind === 'self')) return tool;
  const { annotations, inputSchema, outputSchema, description, category, deprecation } = metadata;
  return {
    places,
    metadata: {
      ...metadata,
      description: foreignDescription(description, places[0]?.name ?? 'unknown'),
      category: plainText(category, MAX_CATEGORY),
      deprecation: deprecation === null ? null : plainText(deprecation),
      annotations: { ...annotations, title: plainText(annotations.title) },
      inputSchema: plainSchema(inputSchema),
      outputSchema: plainSchema(outputSchema),
    },
  };
}
