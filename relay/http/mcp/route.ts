import { toNodeHandler } from '@modelcontextprotocol/node';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import { TRACEPARENT } from '../../../src/lib/traceparent.ts';
import { isObject } from '../../../src/mesh/rpc/mcp-wire.ts';
import type { Caller } from '../auth.ts';
import { protect, type AskedCall, type Protection } from '../gate/protect.ts';
import { disconnectSignal } from '../disconnect.ts';
import { readJsonBody } from '../json-body.ts';
import { compactCallee } from './compact-front.ts';
import type { McpEndpoint } from './endpoint.ts';
import { jsonRpcError } from './json-rpc-error.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import type { Outcome } from './target.ts';
import type { Address } from './targets.ts';

/** JSON-RPC 2.0 §5.1. */
const PARSE_ERROR = -32_700;
const SERVER_ERROR = -32_000;

export interface McpRouteDeps {
  readonly endpoint: McpEndpoint;
  readonly protection: Protection;
  readonly log: Log;
}

/** Where the room is one server, and where each of its peers is. */
const PATHS = ['/mcp', '/mcp/peers/:peer'] as const;
/** `?mode=compact` or this header: four meta-tools instead of all. */
const MODE_HEADER = 'tabmesh-mcp-mode';

interface McpRequest {
  readonly Params: { readonly peer?: string };
  readonly Querystring: { readonly mode?: unknown };
}

/** `POST /mcp`, and `GET` and `DELETE` for the older wire; the same below `/mcp/peers/{peer}`. */
export function mcpRoute(app: FastifyInstance, { endpoint, protection, log }: McpRouteDeps): void {
  protect(app, protection, (request) => askedCall(request.body, isCompact(request)));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
    (_request, text, done) => {
      try {
        done(null, readJsonBody(text as string));
      } catch {
        // answered below in the form that MCP clients read
        done(null, undefined);
      }
    },
  );

  const addressOf = (request: FastifyRequest): Address => {
    const { peer } = request.params as McpRequest['Params'];
    return { peer: peer === undefined ? null : (peer as PeerId), compact: isCompact(request) };
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply, outcome?: Outcome): Promise<void> => {
    const caller = request.getDecorator<Caller>('caller');
    const address = addressOf(request);
    const handler = toNodeHandler(
      { fetch: (web, options) => endpoint.handle(web, options?.parsedBody, caller, address, outcome) },
      {
        maxRequestBodySize: MAX_BODY_BYTES,
        onerror: (error) => {
          log.error('mcp request failed', { error: error.stack });
        },
      },
    );
    // the headers that every answer of this relay has; the handler writes the rest itself
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    // Node types optional fields as `| undefined`, the SDK's structural type does not
    await handler(request.raw as Parameters<typeof handler>[0], reply.raw, request.body);
  };

  for (const path of PATHS) {
    app.post(path, { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      if (request.body === undefined) {
        await reply.send(jsonRpcError(400, PARSE_ERROR, 'Parse error: the body is not JSON'));
        return;
      }
      const caller = request.getDecorator<Caller>('caller');
      const { body, headers } = request;
      const called = await endpoint.call(body, headers, caller, addressOf(request), () => disconnectSignal(reply.raw));
      if (typeof called === 'string') await reply.type('application/json').send(called);
      else await answer(request, reply, called);
    });
    app.get(path, { exposeHeadRoute: false }, (request, reply) => answer(request, reply));
    app.delete(path, (request, reply) => answer(request, reply));
  }

  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _request, reply) => {
    if (error instanceof TabmeshError || (error.statusCode ?? 500) >= 500) throw error;
    const status = error.statusCode ?? 400;
    const wire =
      status === 413
        ? new TabmeshError('payload_too_large', 'the request is larger than this relay accepts').toWire()
        : undefined;
    return reply.send(jsonRpcError(status, SERVER_ERROR, error.message, wire));
  });
}

/** What a message asks for, for the checks at the door; a batch of the older wire is looked at message by message later. */
function askedCall(body: unknown, compact: boolean): AskedCall {
  const { method, params } = isObject(body) ? body : {};
  if (method !== 'tools/call' || !isObject(params)) return { tool: null };
  const { name, arguments: args, _meta } = params;
  const traceparent = isObject(_meta) ? _meta[TRACEPARENT] : undefined;
  const tool = compact ? compactCallee(name, args) : name;
  return { tool: typeof tool === 'string' ? tool : null, traceparent };
}

function isCompact({ query, headers }: FastifyRequest): boolean {
  return (query as McpRequest['Querystring']).mode === 'compact' || headers[MODE_HEADER] === 'compact';
}
