import type { FastifyInstance } from 'fastify';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { Tokens } from '../../tokens/tokens.ts';
import type { LiveRequests } from '../gate/live-requests.ts';
import type { Caller } from '../auth.ts';

/**
 * `GET /api/tokens`, `POST /api/tokens`, `DELETE /api/tokens/{id}`. The owner's token sees and changes all of them; a
 * member's that may write those of its device, and makes none that may do more than itself.
 */
export function tokensRest(app: FastifyInstance, tokens: Tokens, live: LiveRequests): void {
  app.get('/api/tokens', (request, reply) => {
    const { device } = keeper(request.getDecorator<Caller>('caller'));
    return reply.send({ tokens: tokens.list(device) });
  });

  app.post('/api/tokens', async (request, reply) => {
    const { holder } = keeper(request.getDecorator<Caller>('caller'));
    const { room, device } = holder;
    const made = await tokens.create({ room, device, maker: holder }, request.body);
    return await reply.code(201).header('location', `/api/tokens/${made.id}`).send(made);
  });

  app.delete<{ Params: { id: string } }>('/api/tokens/:id', async (request, reply) => {
    const { device } = keeper(request.getDecorator<Caller>('caller'));
    live.spare(reply.raw);
    await tokens.revoke(request.params.id, device);
    return await reply.code(204).send();
  });
}

/**
 * Who may look after tokens: a narrow one that was lost must not be good for making others, or for taking them away.
 * @returns the device whose tokens it looks after; undefined for all
 */
function keeper({ holder }: Caller) {
  const { classes, tools } = holder.scope;
  const mayKeep = tools === null && classes.includes(holder.owned ? 'admin' : 'write');
  if (!mayKeep || (holder.device === null && !holder.owned)) {
    throw new TabmeshError('forbidden', 'this token may not look after tokens', {
      hint: 'Use the owner token, or one made in the app that may write and is for all tools.',
      details: { requiredScope: 'tabmesh:write' },
    });
  }
  return { holder, device: holder.device ?? undefined };
}
