import type { FastifyInstance } from 'fastify';
import type { RelayUrls } from '../../config/urls.ts';
import type { Caller } from '../auth.ts';
import { openApi } from './openapi.ts';

/** `GET /openapi.json`: what the holder of this token can do over REST. */
export function openApiRoute(app: FastifyInstance, urls: Pick<RelayUrls, 'app'>): void {
  app.get('/openapi.json', (request, reply) => {
    const { gateway, may } = request.getDecorator<Caller>('caller');
    const tools = gateway.tools.list().filter(({ metadata }) => may(metadata));
    return reply.send(openApi(tools, urls.app));
  });
}
