import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../src/lib/clock.ts';
import type { AuditLog } from '../../../src/monitor/audit/log.ts';
import type { RelayUrls } from '../../config/urls.ts';
import type { Tokens } from '../../tokens/tokens.ts';
import { protect, type Protection } from '../gate/protect.ts';
import { strictJson } from '../json-body.ts';
import { MAX_BODY_BYTES } from '../mcp/limits.ts';
import { auditRest } from './audit.ts';
import { openApiRoute } from './openapi-route.ts';
import { roomRest } from './room.ts';
import { tokensRest } from './tokens.ts';
import { toolsRest } from './tools.ts';

const CALL = '/api/tools/:name';

/** Everything below `/api`, and the description of it: for those who have a token. */
export function restRoutes(
  app: FastifyInstance,
  deps: {
    readonly protection: Protection;
    readonly tokens: Tokens;
    readonly audit: AuditLog;
    readonly urls: Pick<RelayUrls, 'app'>;
    readonly clock: Clock;
  },
): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    done();
  });
  protect(app, deps.protection, ({ method, routeOptions, params }) => ({
    tool: method === 'POST' && routeOptions.url === CALL ? (params as { readonly name: string }).name : null,
  }));
  // as for MCP: arguments over their own limit are refused where they are checked, in the same words at every door
  strictJson(app, MAX_BODY_BYTES);
  toolsRest(app, deps.clock);
  roomRest(app, deps.clock);
  tokensRest(app, deps.tokens, deps.protection.live);
  auditRest(app, deps.audit);
  openApiRoute(app, deps.urls);
}
