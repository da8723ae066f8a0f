import { ACCESS_CLASSES } from '../../../src/contracts/access.ts';
import type { RoomTool, ToolMetadata } from '../../../src/contracts/tools.ts';
import { SCOPE_PREFIX } from '../gate/scope.ts';
import { VERSION } from '../../version.ts';
import { APPROVAL_HEADER, GRANTS_HEADER } from './credentials.ts';
import { FIXED_PATHS, SCHEMAS } from './openapi-fixed.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const JSON_TYPE = 'application/json';

/**
 * The REST interface as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), its schemas those of the tools themselves.
 * @param tools those that the reader may call
 * @param server URL of this relay
 */
export function openApi(tools: readonly RoomTool[], server: string): JsonObject {
  const schemas: Record<string, unknown> = { ...SCHEMAS };
  const paths: Record<string, unknown> = { ...FIXED_PATHS };
  for (const { metadata } of tools) {
    const input = `${metadata.name}.input`;
    const output = `${metadata.name}.output`;
    schemas[input] = within(metadata.inputSchema, `#/components/schemas/${input}`);
    schemas[output] = within(metadata.outputSchema, `#/components/schemas/${output}`);
    paths[`/api/tools/${metadata.name}`] = { post: operation(metadata, input, output) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tabmesh',
      version: VERSION,
      description: 'The tools of a room, wherever in it they run, and what its relay knows of it.',
    },
    servers: [{ url: server }],
    security: [{ token: [] }],
    tags: [...new Set(tools.map(({ metadata }) => metadata.category))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: `Classes: ${ACCESS_CLASSES.join(', ')}.` },
      },
      schemas,
      responses: {
        Problem: {
          description: 'It failed: RFC 9457, with the error of this app as the member `error`',
          content: { 'application/problem+json': { schema: ref('Problem') } },
        },
      },
    },
  };
}

function operation(tool: ToolMetadata, input: string, output: string): JsonObject {
  const result = {
    type: 'object',
    required: ['result', 'route', 'tookMs'],
    properties: { result: ref(output), route: ref('Route'), tookMs: { type: 'number', description: 'ms' } },
  };
  return {
    operationId: tool.name,
    tags: [tool.category],
    summary: tool.annotations.title,
    description: tool.description,
    security: [{ token: [SCOPE_PREFIX + tool.access] }],
    parameters: [
      { name: 'place', in: 'query', schema: { type: 'string' }, description: 'Id of the peer that is to run it' },
      header(APPROVAL_HEADER, 'Handle of the approval that an earlier answer (`approval_pending`) has named'),
      header(GRANTS_HEADER, 'Delegation tokens, with a space between them'),
    ],
    requestBody: { content: { [JSON_TYPE]: { schema: ref(input) } } },
    responses: {
      200: {
        description: 'What the tool answered. As events: `progress` (any number), then `result` or `error`.',
        content: { [JSON_TYPE]: { schema: result }, 'text/event-stream': { schema: { type: 'string' } } },
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

const header = (name: string, description: string): JsonObject => ({
  name,
  in: 'header',
  schema: { type: 'string' },
  description,
});

const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

/** A schema that was whole, as a part: references to its own root lead to its new place. */
function within(schema: unknown, place: string): unknown {
  if (Array.isArray(schema)) return schema.map((part) => within(part, place));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      // of a whole document only
      .filter(([key]) => key !== '$schema')
      .map(([key, value]) =>
        key === '$ref' && typeof value === 'string' && value.startsWith('#')
          ? [key, place + value.slice(1)]
          : [key, within(value, place)],
      ),
  );
}
