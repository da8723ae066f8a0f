import type { FastifyInstance, FastifyRequest } from 'fastify';
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
 * `GET /api/tool-definitions`: tools of other peers whose definition has changed since it was first seen.
 * `POST /api/tool-definitions/accept` with `{tool, offered}` accepts one as it was shown. Both for who runs the relay.
 */
export function definitionsRoute(
  app: FastifyInstance,
  { endpoint, protection }: { readonly endpoint: McpEndpoint; readonly protection: Protection },
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
  app.get('/api/tool-definitions', async (request) => ({ quarantined: (await pinsOf(request)).quarantined() }));
  app.post('/api/tool-definitions/accept', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const { tool, offered } = isObject(request.body) ? request.body : {};
    if (typeof tool !== 'string' || typeof offered !== 'string') {
      throw new TabmeshError('invalid_input', 'expected the name of a tool, and the hash that was offered');
    }
    await (await pinsOf(request)).accept(tool, offered);
    return { accepted: tool };
  });
}
