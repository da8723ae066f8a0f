import type { FastifyInstance } from 'fastify';
import type { RunState } from '../../../src/contracts/workflow.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../../src/lib/errors.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';
import { disconnectSignal } from '../disconnect.ts';
import { toProblem } from '../problem.ts';
import { statusOf } from '../status.ts';
import { beginEvents, wantsEvents, type EventStream } from './event-stream.ts';

/**
 * `GET /api/peers`, `GET /api/runs`, `GET /api/runs/{id}`: what the relay's peer knows of its room, and has run itself; with
 * `Accept: text/event-stream` a run is told as it goes, until it has ended.
 */
export function roomRest(app: FastifyInstance, clock: Clock): void {
  app.get('/api/peers', (request, reply) =>
    reply.send({ peers: reader(request.getDecorator<Caller>('caller')).peers() }),
  );

  app.get('/api/runs', (request, reply) => {
    const runs = reader(request.getDecorator<Caller>('caller')).runs();
    return reply.send({ runs });
  });

  app.get<{ Params: { id: string } }>('/api/runs/:id', async (request, reply) => {
    const gateway = reader(request.getDecorator<Caller>('caller'));
    const run = () => findRun(gateway, request.params.id);
    const first = run();
    if (!wantsEvents(request)) return reply.send(first);
    const events = beginEvents(reply, clock);
    await followRun(gateway, run, events, disconnectSignal(reply.raw));
    return reply;
  });
}

/** Tells a run as it changes, until it has ended or nobody listens any more. */
async function followRun(
  gateway: RoomGateway,
  run: () => RunState,
  events: EventStream,
  signal: AbortSignal,
): Promise<void> {
  const ended = Promise.withResolvers<undefined>();
  const tell = () => {
    try {
      const now = run();
      if (now.status === 'created' || now.status === 'running') events.progress(now);
      else {
        events.end('result', now);
        ended.resolve(undefined);
      }
    } catch (thrown) {
      // somebody has deleted it
      const error = toTabmeshError(thrown).toWire();
      events.end('error', toProblem(error, statusOf(error.code)));
      ended.resolve(undefined);
    }
  };
  const stop = gateway.watchRuns(tell);
  signal.addEventListener('abort', () => {
    ended.resolve(undefined);
  });
  tell();
  await ended.promise;
  stop();
}

/** @throws `not_found`: of another room, or of nobody, the same answer */
function findRun(gateway: RoomGateway, id: string): RunState {
  const run = gateway.runs().find(({ runId }) => runId === id);
  if (run === undefined) throw new TabmeshError('not_found', 'there is no such run here');
  return run;
}

/** The room, for a token that may read all of it. @throws `forbidden` */
function reader(caller: Caller): RoomGateway {
  caller.checkRead();
  return caller.gateway;
}
