import type { RoomTool } from '../../contracts/tools.ts';
import { isSchema } from './schema-field.ts';

/**
 * The largest number that a tool of the room takes for a property, so that the app's own forms never offer more.
 * @param fallback when the tool, or a bound, is not there
 */
export function upperBound(tools: readonly RoomTool[], name: string, property: string, fallback: number): number {
  const properties: unknown = tools.find((tool) => tool.metadata.name === name)?.metadata.inputSchema['properties'];
  const schema = isSchema(properties) ? properties[property] : undefined;
  const maximum = isSchema(schema) ? schema['maximum'] : undefined;
  return typeof maximum === 'number' && Number.isFinite(maximum) ? maximum : fallback;
}
