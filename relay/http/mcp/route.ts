import { toNodeHandler } from '@modelcontextprotocol/node';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { Authenticate, Caller } from '../auth.ts';
import { checkOrigin, type OriginRules } from '../request-origin.ts';
import type { McpEndpoint } from './endpoint.ts';
import { jsonRpcError } from './json-rpc-error.ts';
import { MAX_BODY_BYTES } from './limits.ts';

/** JSON-RPC 2.0 §5.1. */
const PARSE_ERROR = -32_700;
const SERVER_ERROR = -32_000;

export interface McpRouteDeps {
  readonly endpoint: McpEndpoint;
  readonly rules: OriginRules;
  readonly authenticate: Authenticate;
  readonly log: Log;
}

/** `POST /mcp`, and `GET` and `DELETE` for the older wire. */
export function mcpRoute(app: FastifyInstance, { endpoint, rules, authenticate, log }: McpRouteDeps): void {
  app.decorateRequest<Caller | null>('caller', null);
  app.addHook('onRequest', (request, _reply, done) => {
    checkOrigin(request.headers, rules);
    request.setDecorator<Caller>('caller', authenticate(request.headers.authorization));
    done();
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
    (_request, text, done) => {
      try {
        done(null, JSON.parse(text as string));
      } catch {
        // answered below in the form that MCP clients read
        done(null, undefined);
      }
    },
  );

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const caller = request.getDecorator<Caller>('caller');
    const handler = toNodeHandler(
      { fetch: (web, options) => endpoint.handle(web, options?.parsedBody, caller) },
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

  app.post('/mcp', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    if (request.body === undefined) {
      await reply.send(jsonRpcError(400, PARSE_ERROR, 'Parse error: the body is not JSON'));
      return;
    }
    await answer(request, reply);
  });
  app.get('/mcp', { exposeHeadRoute: false }, answer);
  app.delete('/mcp', answer);

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
