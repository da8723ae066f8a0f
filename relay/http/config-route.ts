import type { FastifyInstance } from 'fastify';
import type { RelayConfig } from '../../src/contracts/relay.ts';

/** `GET /config`: what a tab needs to know of this relay before it can join anything through it. */
export function configRoute(app: FastifyInstance, config: RelayConfig): void {
  app.get('/config', (_request, reply) => reply.header('cache-control', 'no-cache').send(config));
}
