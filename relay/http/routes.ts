import type { Server } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import type { RelayConfig } from '../../src/contracts/relay.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import type { RelayUrls } from '../config/urls.ts';
import type { Rooms } from '../rooms.ts';
import type { Tickets } from '../tickets.ts';
import type { Tokens } from '../tokens.ts';
import { authenticator } from './auth.ts';
import { configRoute } from './config-route.ts';
import { errorHandler } from './errors.ts';
import { createFetchQuota, FETCH_QUOTA, type FetchQuotaLimits } from './fetch/quota.ts';
import { fetchRoute } from './fetch/route.ts';
import type { Upstreams } from './fetch/upstreams.ts';
import { health } from './health.ts';
import type { McpEndpoint } from './mcp/endpoint.ts';
import { mcpRoute } from './mcp/route.ts';
import { checkHost, type OriginRules } from './request-origin.ts';
import { securityHeaders } from './security-headers.ts';
import { staticApp } from './static-app.ts';
import { toolsRest } from './tools-rest.ts';

export interface RoutesDeps {
  readonly urls: RelayUrls;
  /** what `/config` answers */
  readonly config: Omit<RelayConfig, 'accessKey'>;
  /** the relay's access key, to be told in `/config`; null when it is not to be told */
  readonly accessKey: (() => Uint8Array | null) | null;
  readonly rooms: Rooms;
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly tickets: Tickets;
  readonly upstreams: Upstreams;
  readonly fetchQuota?: FetchQuotaLimits;
  /** absolute path of the built app */
  readonly appFolder: string;
  /** the client is who our proxy says it is */
  readonly trustProxy: boolean;
}

/**
 * The Fastify app with every route group in a scope of its own, ready to answer requests of the given server.
 * @param server listens already; Fastify only routes
 */
export async function createRoutes(
  deps: RoutesDeps,
  environment: {
    readonly server: Server;
    readonly mcp: McpEndpoint;
    readonly rules: OriginRules;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<FastifyInstance> {
  const { urls, rooms, fetchQuota = FETCH_QUOTA } = deps;
  const { server, mcp, rules, clock, log } = environment;
  const authenticate = authenticator(deps.tokens, rooms);
  const headers = securityHeaders(urls.app);

  const app = Fastify({ serverFactory: () => server });
  app.setErrorHandler(errorHandler({ log, clock, trustProxy: deps.trustProxy }));
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers);
    checkHost(request.headers, rules);
    done();
  });
  const quota = createFetchQuota(fetchQuota, clock);
  await scope(app, (routes) => {
    health(routes, rooms);
    configRoute(routes, deps.config, deps.accessKey);
  });
  await scope(app, (routes) => {
    fetchRoute(routes, { tickets: deps.tickets, upstreams: deps.upstreams, quota, origins: urls.origins });
  });
  await scope(app, (routes) => {
    toolsRest(routes, rules, authenticate);
  });
  await scope(app, (routes) => {
    mcpRoute(routes, { endpoint: mcp, rules, authenticate, log });
  });
  await scope(app, (routes) => staticApp(routes, deps.appFolder));
  await app.ready();
  return app;
}

/** Hooks, parsers and handlers of one route group end with it. */
async function scope(app: FastifyInstance, add: (routes: FastifyInstance) => void | Promise<void>): Promise<void> {
  await app.register(async (routes) => {
    await add(routes);
  });
}
