import type { Server } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import type { RelayConfig } from '../../src/contracts/relay.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import type { AuditLog } from '../../src/monitor/audit/log.ts';
import type { RelayUrls } from '../config/urls.ts';
import type { OAuthConfig } from '../oauth/config.ts';
import { createJwtReader } from '../oauth/jwt.ts';
import { protectedResource, resourceMetadataUrl } from '../oauth/metadata.ts';
import type { Rooms } from '../rooms.ts';
import type { Tickets } from '../tickets.ts';
import type { Tokens } from '../tokens/tokens.ts';
import { authenticator } from './auth.ts';
import { configRoute } from './config-route.ts';
import { cors } from './cors.ts';
import { docsRoutes } from './docs/route.ts';
import { errorHandler } from './errors.ts';
import { createFetchQuota, FETCH_QUOTA, type FetchQuotaLimits } from './fetch/quota.ts';
import { fetchRoute } from './fetch/route.ts';
import type { Upstreams } from './fetch/upstreams.ts';
import { createGate } from './gate/gate.ts';
import type { LiveRequests } from './gate/live-requests.ts';
import type { Rates } from './gate/rates.ts';
import type { Protection } from './gate/protect.ts';
import { health } from './health.ts';
import { definitionsRoute } from './mcp/definitions-route.ts';
import type { McpEndpoint } from './mcp/endpoint.ts';
import { mcpRoute } from './mcp/route.ts';
import { metricsRoute } from './metrics-route.ts';
import type { Metrics } from './metrics.ts';
import { checkHost, type OriginRules } from './request-origin.ts';
import { restRoutes } from './rest/routes.ts';
import { securityHeaders } from './security-headers.ts';
import { staticApp } from './static-app.ts';

export interface RoutesDeps {
  readonly urls: RelayUrls;
  /** what `/config` answers */
  readonly config: Omit<RelayConfig, 'accessKey'>;
  /** the relay's access key, to be told in `/config`; null when it is not to be told */
  readonly accessKey: (() => Uint8Array | null) | null;
  readonly rooms: Rooms;
  readonly tokens: Tokens;
  /** an identity provider whose tokens count as well; null for none */
  readonly oauth: OAuthConfig | null;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  readonly tickets: Tickets;
  readonly upstreams: Upstreams;
  readonly fetchQuota?: FetchQuotaLimits;
  /** absolute path of the built app */
  readonly appFolder: string;
  /** the client is who our proxy says it is */
  readonly trustProxy: boolean;
}

/** What the server has, that routes use. */
export interface RoutesEnvironment {
  readonly server: Server;
  readonly mcp: McpEndpoint;
  readonly rules: OriginRules;
  readonly live: LiveRequests;
  readonly rates: Rates;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The Fastify app with every route group in a scope of its own, ready to answer requests of the given server. The server
 * listens already; Fastify only routes.
 */
export async function createRoutes(deps: RoutesDeps, environment: RoutesEnvironment): Promise<FastifyInstance> {
  const { urls, rooms, tokens, oauth, audit, metrics, trustProxy, fetchQuota = FETCH_QUOTA } = deps;
  const { server, mcp, rules, live, rates, clock, log } = environment;
  const gate = createGate({ rates, audit, meter: metrics, tools: (gateway) => mcp.tools(gateway), clock });
  const jwt = oauth === null ? null : createJwtReader(oauth, urls.mcp, clock);
  const authenticate = authenticator({ tokens, oauth: jwt, rooms, gate, clock });
  const headers = securityHeaders(urls.app);
  const protection: Protection = {
    rules,
    authenticate,
    live,
    resourceMetadata: oauth === null ? null : resourceMetadataUrl(urls.mcp),
  };

  const app = Fastify({ serverFactory: () => server });
  app.setErrorHandler(
    errorHandler({
      log,
      clock,
      trustProxy,
      audit,
      refused: (reason) => {
        metrics.refused(reason);
      },
    }),
  );
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers);
    checkHost(request.headers, rules);
    done();
  });
  cors(app, rules);
  app.addHook('onResponse', ({ routeOptions, method }, { statusCode }, done) => {
    metrics.answered(routeOptions.url ?? 'none', method, statusCode);
    done();
  });
  const quota = createFetchQuota(fetchQuota, clock);
  await scope(app, (routes) => {
    health(routes, rooms);
    configRoute(routes, deps.config, deps.accessKey);
    metricsRoute(routes, { metrics, authenticate, trustProxy });
    if (oauth !== null) protectedResource(routes, urls.mcp, oauth);
  });
  await scope(app, (routes) => {
    fetchRoute(routes, { tickets: deps.tickets, upstreams: deps.upstreams, quota, origins: urls.origins });
  });
  await scope(app, (routes) => {
    restRoutes(routes, { protection, tokens, audit, urls, clock });
  });
  await scope(app, (routes) => {
    mcpRoute(routes, { endpoint: mcp, protection, log });
  });
  await scope(app, (routes) => {
    definitionsRoute(routes, { endpoint: mcp, protection, audit });
  });
  await scope(app, (routes) => docsRoutes(routes));
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
