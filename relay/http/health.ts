import type { FastifyInstance } from 'fastify';
import { OWNER_TOKEN_ID } from '../../src/contracts/tools.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { Rooms } from '../rooms.ts';
import { sendError } from './errors.ts';

/** The smallest tool there is; every peer offers it. */
const PROBE = { tool: 'echo', args: { text: 'ready' } };
/** A healthy peer answers itself within milliseconds; orchestrators give a probe a second or two. */
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Pages of other relays ask as well whether this one is up, and what time it is here: an invite may lead to several relays.
 * The answer is the same for everybody and tells nothing else.
 */
const ANY_PAGE = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'date',
  'cross-origin-resource-policy': 'cross-origin',
};

/** `GET /health`: the process is up. `GET /ready`: the room's peer really answers a call. Both tell nothing else. */
export function health(app: FastifyInstance, rooms: Rooms): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    done();
  });

  app.get('/health', (_request, reply) => reply.headers(ANY_PAGE).send({ status: 'up' }));

  app.get('/ready', async (_request, reply) => {
    const gateway = rooms.default;
    if (gateway === undefined) return reply.send({ status: 'ready', room: false });
    const { self, tools } = gateway;
    const outcome = await tools.call(
      // as the owner: whether it answers does not hang on what the owner lets others do here
      {
        ...PROBE,
        place: self,
        principal: { kind: 'token', tokenId: OWNER_TOKEN_ID, name: 'readiness probe', relay: self },
      },
      { timeoutMs: PROBE_TIMEOUT_MS },
    );
    if (outcome.ok) return reply.send({ status: 'ready', room: true });
    return sendError(reply, TabmeshError.fromWire(outcome.error), 503);
  });
}
