import type { ToolMetadata } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';

/** The argument by which a client may say where a tool is to run. */
const PLACE = 'place';

const PLACE_SCHEMA = {
  type: 'string',
  description: 'Peer id of the place that is to run this call, from list_peers. Left out: the best place is chosen.',
};

type Schema = ToolMetadata['inputSchema'];

/** A tool's schema with the place in it, unless the tool has an argument of that name itself. */
export function withPlace(schema: Schema): Schema {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  if (schema['type'] !== 'object' || Object.hasOwn(properties, PLACE)) return schema;
  return { ...schema, properties: { ...properties, [PLACE]: PLACE_SCHEMA } };
}

/** Parts a call's arguments into the tool's own and the place. @throws `invalid_input` for a place that is no text */
export function withoutPlace(
  args: unknown,
  tool: Pick<ToolMetadata, 'inputSchema'> | undefined,
): { readonly args: unknown; readonly place: PeerId | null } {
  const own = tool?.inputSchema['properties'];
  const mayName = tool !== undefined && !(isObject(own) && Object.hasOwn(own, PLACE));
  if (!mayName || !isObject(args) || !Object.hasOwn(args, PLACE)) return { args, place: null };
  const { [PLACE]: place, ...rest } = args;
  if (typeof place !== 'string' || place === '') {
    throw new TabmeshError('invalid_input', 'place: expected the id of one peer');
  }
  return { args: rest, place: place as PeerId };
}
