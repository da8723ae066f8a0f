import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditEventName, AuditSink } from '../../../src/contracts/audit.ts';
import type { ToolDefinitions } from '../../../src/contracts/definitions.ts';
import { OWNER_TOKEN_ID } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { Caller } from '../auth.ts';
import { protect, type Protection } from '../gate/protect.ts';
import { strictJson } from '../json-body.ts';
import type { McpEndpoint } from './endpoint.ts';

/** A name and a hash. */
const MAX_BODY_BYTES = 4_096;

/**
 * `GET /api/tool-definitions`: tools of other peers whose definition was pinned when it was first seen, and those whose
 * definition has changed since. `POST /api/tool-definitions/accept` and `…/refuse` with `{tool, offered}` decide on one as
 * it was shown; `…/forget` with `{tool}` takes a pin back, so that the next definition seen is pinned. All for who runs the relay.
 */
export function definitionsRoute(
  app: FastifyInstance,
  {
    endpoint,
    protection,
    audit,
  }: { readonly endpoint: McpEndpoint; readonly protection: Protection; readonly audit: AuditSink },
): void {
  protect(app, protection, () => ({ tool: null }));
  strictJson(app, MAX_BODY_BYTES);
  const pinsOf = (request: FastifyRequest) => {
    const { principal, gateway } = request.getDecorator<Caller>('caller');
    if (principal.tokenId !== OWNER_TOKEN_ID) {
      throw new TabmeshError('forbidden', 'only who runs the relay decides on tool definitions', {
        hint: 'Use the owner token, which the relay printed when it started.',
      });
    }
    return endpoint.pins(gateway.room);
  };
  /** decisions that were made; what is refused at the door is written down there */
  const decided = (request: FastifyRequest, event: AuditEventName, hash: string, tool: string) => {
    const { id, name } = request.getDecorator<Caller>('caller').holder;
    const what = `${hash} ${tool}`;
    const plain = { where: null, tookMs: null, outcome: 'ok', trace: null } as const;
    audit.record({ event, who: { kind: 'token', id, name }, what, ...plain });
  };
  app.get('/api/tool-definitions', async (request): Promise<ToolDefinitions> => {
    const pins = await pinsOf(request);
    // also while no MCP client is here to ask for the list
    request.getDecorator<Caller>('caller').gateway.tools.list();
    return { pinned: pins.pinned(), quarantined: pins.quarantined() };
  });
  const decision = (body: unknown) => {
    const { tool, offered } = isObject(body) ? body : {};
    if (typeof tool === 'string' && typeof offered === 'string') return { tool, offered };
    throw new TabmeshError('invalid_input', 'expected the name of a tool, and the hash that was offered');
  };
  app.post('/api/tool-definitions/accept', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const pins = await pinsOf(request);
    const { tool, offered } = decision(request.body);
    await pins.accept(tool, offered);
    decided(request, 'definition.accepted', offered, tool);
    return { accepted: tool };
  });
  app.post('/api/tool-definitions/refuse', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const pins = await pinsOf(request);
    const { tool, offered } = decision(request.body);
    await pins.refuse(tool, offered);
    decided(request, 'definition.refused', offered, tool);
    return { refused: tool };
  });
  app.post('/api/tool-definitions/forget', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const pins = await pinsOf(request);
    const { tool } = isObject(request.body) ? request.body : {};
    if (typeof tool !== 'string') throw new TabmeshError('invalid_input', 'expected the name of a tool');
    const hash = pins.pinned().find((pin) => pin.tool === tool)?.hash ?? '';
    await pins.forget(tool);
    decided(request, 'definition.forgotten', hash, tool);
    return { forgotten: tool };
  });
}
