import type { FastifyInstance } from 'fastify';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { Caller } from '../auth.ts';

/** `GET /api/peers`, `GET /api/runs`, `GET /api/runs/{id}`: what the relay's peer knows of its room, and has run itself. */
export function roomRest(app: FastifyInstance): void {
  app.get('/api/peers', (request, reply) =>
    reply.send({ peers: reader(request.getDecorator<Caller>('caller')).peers() }),
  );

  app.get('/api/runs', (request, reply) => {
    const runs = reader(request.getDecorator<Caller>('caller')).runs();
    return reply.send({ runs });
  });

  app.get<{ Params: { id: string } }>('/api/runs/:id', (request, reply) => {
    const { id } = request.params;
    const run = reader(request.getDecorator<Caller>('caller'))
      .runs()
      .find(({ runId }) => runId === id);
    // of another room, or of nobody: the same answer
    if (run === undefined) throw new TabmeshError('not_found', 'there is no such run here');
    return reply.send(run);
  });
}

/** The room, for a token that may read all of it. @throws `forbidden` */
function reader(caller: Caller): RoomGateway {
  caller.checkRead();
  return caller.gateway;
}
