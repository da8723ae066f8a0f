import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../config/hosts.ts';
import type { Authenticate } from './auth.ts';
import type { Metrics } from './metrics.ts';

/** What a proxy adds: then the caller may be anybody. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/** `GET /metrics`, for programs on this machine, and for tokens that may read everything. */
export function metricsRoute(
  app: FastifyInstance,
  { metrics, authenticate, trustProxy }: { metrics: Metrics; authenticate: Authenticate; trustProxy: boolean },
): void {
  app.get('/metrics', async (request, reply) => {
    if (trustProxy || !isFromHere(request)) {
      (await authenticate(request.headers.authorization)).checkRead();
    }
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.text());
  });
}

/** A page is no program, wherever it comes from: browsers say that they are one. */
function isFromHere({ headers, socket }: FastifyRequest): boolean {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const isPage = headers.origin !== undefined || headers['sec-fetch-mode'] === 'no-cors';
  return isLoopbackHost(address) && !isPage && FORWARDED.every((name) => headers[name] === undefined);
}
