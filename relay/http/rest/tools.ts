import type { FastifyInstance } from 'fastify';
import type { CallResult, RoomTool } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import type { Caller } from '../auth.ts';
import { disconnectSignal } from '../disconnect.ts';
import { sendError } from '../errors.ts';
import { toProblem } from '../problem.ts';
import { statusOf } from '../status.ts';
import { credentialsOf } from './credentials.ts';
import { beginEvents, wantsEvents } from './event-stream.ts';

/**
 * `GET /api/tools`, `GET /api/tools/{name}`, `POST /api/tools/{name}?place={peer}`: the tools of the token's room as plain
 * HTTP; with `Accept: text/event-stream` the call tells its progress as it goes.
 */
export function toolsRest(app: FastifyInstance, clock: Clock): void {
  app.get('/api/tools', (request, reply) => {
    const { gateway, may } = request.getDecorator<Caller>('caller');
    const tools = gateway.tools.list().filter(({ metadata }) => may(metadata));
    return reply.send({ tools: tools.map(describe) });
  });

  app.get<{ Params: { name: string } }>('/api/tools/:name', (request, reply) => {
    const { gateway, may } = request.getDecorator<Caller>('caller');
    const found = gateway.tools.list().find(({ metadata }) => metadata.name === request.params.name);
    if (found === undefined || !may(found.metadata)) throw new TabmeshError('not_found', 'there is no such tool here');
    return reply.send(describe(found));
  });

  app.post<{ Params: { name: string }; Querystring: { place?: unknown } }>(
    '/api/tools/:name',
    async (request, reply) => {
      const { gateway, principal } = request.getDecorator<Caller>('caller');
      const { place } = request.query;
      // given twice it is a list, which names no peer
      if (place !== undefined && typeof place !== 'string') {
        throw new TabmeshError('invalid_input', 'place: expected the id of one peer');
      }
      const pin = place === undefined ? {} : { place: place as PeerId };
      const shown = credentialsOf(request.headers);
      const call = { tool: request.params.name, args: request.body ?? {}, principal, ...pin, ...shown };
      const signal = disconnectSignal(reply.raw);
      if (wantsEvents(request)) {
        const events = beginEvents(reply, clock);
        const outcome = await gateway.tools.call(call, {
          signal,
          onProgress: (progress) => {
            events.progress(progress);
          },
        });
        if (outcome.ok) events.end('result', answer(outcome));
        else events.end('error', toProblem(outcome.error, statusOf(outcome.error.code)));
        return reply;
      }
      const outcome = await gateway.tools.call(call, { signal });
      return outcome.ok ? reply.send(answer(outcome)) : sendError(reply, TabmeshError.fromWire(outcome.error));
    },
  );
}

function answer({ value, route, tookMs }: Extract<CallResult, { readonly ok: true }>) {
  return { result: value, route, tookMs };
}

function describe({ metadata, places }: RoomTool): Record<string, unknown> {
  return { ...metadata, places };
}
