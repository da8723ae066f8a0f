import type { FastifyInstance } from 'fastify';
import type { RoomTool } from '../../src/contracts/tools.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import type { Authenticate, Caller } from './auth.ts';
import { disconnectSignal } from './disconnect.ts';
import { sendError } from './errors.ts';
import { MAX_BODY_BYTES } from './mcp/limits.ts';
import { checkOrigin, type OriginRules } from './request-origin.ts';

/** `GET /api/tools`, `POST /api/tools/{name}?place={peer}`: the tools of the token's room as plain HTTP. */
export function toolsRest(app: FastifyInstance, rules: OriginRules, authenticate: Authenticate): void {
  app.decorateRequest<Caller | null>('caller', null);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('cache-control', 'no-store');
    checkOrigin(request.headers, rules);
    // before the body is read: a stranger's megabyte is not worth the memory
    request.setDecorator<Caller>('caller', authenticate(request.headers.authorization));
    done();
  });

  app.get('/api/tools', (request, reply) => {
    const { gateway } = request.getDecorator<Caller>('caller');
    return reply.send({ tools: gateway.tools.list().map(describe) });
  });

  app.post<{ Params: { name: string }; Querystring: { place?: unknown } }>(
    '/api/tools/:name',
    // as for MCP: arguments over their own limit are refused where they are checked, in the same words at every door
    { bodyLimit: MAX_BODY_BYTES },
    async (request, reply) => {
      const { gateway, principal } = request.getDecorator<Caller>('caller');
      const { place } = request.query;
      // given twice it is a list, which names no peer
      if (place !== undefined && typeof place !== 'string') {
        throw new TabmeshError('invalid_input', 'place: expected the id of one peer');
      }
      const pin = place === undefined ? {} : { place: place as PeerId };
      const outcome = await gateway.tools.call(
        { tool: request.params.name, args: request.body ?? {}, principal, ...pin },
        { signal: disconnectSignal(reply.raw) },
      );
      if (outcome.ok) return reply.send({ result: outcome.value, route: outcome.route, tookMs: outcome.tookMs });
      return sendError(reply, TabmeshError.fromWire(outcome.error));
    },
  );
}

function describe({ metadata, places }: RoomTool): Record<string, unknown> {
  return { ...metadata, places };
}
