import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RelayConfig } from '../../src/contracts/relay.ts';

/** What a proxy adds that does not hide: then the caller may be anybody. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * `GET /config`: what a tab needs to know of this relay before it can join anything through it.
 * @param accessKey the relay's key, where it may be told to pages of this very origin
 */
export function configRoute(
  app: FastifyInstance,
  config: Omit<RelayConfig, 'accessKey'>,
  accessKey: (() => Uint8Array | null) | null,
): void {
  app.get('/config', (request, reply) => {
    const key = accessKey !== null && isFromHere(request) ? accessKey() : null;
    const answer: RelayConfig = { ...config, accessKey: key === null ? null : Buffer.from(key).toString('base64url') };
    return reply.header('cache-control', key === null ? 'no-cache' : 'no-store').send(answer);
  });
}

/** Browsers name where a request comes from, and let no page lie about it (Fetch Metadata). */
function isFromHere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  const own = site === undefined || site === 'same-origin' || site === 'none';
  return own && FORWARDED.every((name) => headers[name] === undefined);
}
