import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TabmeshError } from '../../src/lib/errors.ts';

/** Proxies keep idle connections for a minute; closing a little later spares them the race. */
const KEEP_ALIVE_MS = 65_000;
/** Finds clients of long-lived streams that vanished without closing. */
const TCP_KEEP_ALIVE_MS = 30_000;
/** How long a client may take to say what it wants: a slow one holds a socket, a buffer and a timer. */
export interface RequestTimes {
  /** for all headers, ms */
  readonly headersMs: number;
  /** for headers and body together, ms */
  readonly requestMs: number;
  /** how often that is looked at, ms */
  readonly checkMs: number;
}

export const REQUEST_TIMES: RequestTimes = {
  // a few kilobytes over the worst mobile network
  headersMs: 15_000,
  // six mebibytes at a megabit a second
  requestMs: 60_000,
  checkMs: 5_000,
};
/** More headers than browsers, proxies and MCP clients send together. */
const MAX_HEADERS = 128;
/** A handshake is two round trips. */
const TLS_HANDSHAKE_MS = 10_000;
/**
 * Connections at once, upgraded ones and all. Each costs some ten kilobytes; the system's limit of open files, often 1,024,
 * comes before, and then a connection is refused as well.
 */
const MAX_CONNECTIONS = 16_384;
/** A second is enough for a client that retries; the peers take about that long to start. */
const STARTING = JSON.stringify({
  error: { code: 'no_place', message: 'the relay is starting', hint: null, retryable: true, details: {} },
});

export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** The relay's port: open before there is anything to serve, so that its number is known and nobody else takes it. */
export interface Listener {
  readonly server: Server;
  /** @returns the port. @throws `conflict` when it is taken, `invalid_input` when the address is not this machine's */
  listen(port: number, host: string): Promise<number>;
  /** what answers requests from now on; before, all are told that the relay is starting */
  serve(handler: RequestListener): void;
  /** takes no more connections and ends those that are idle; resolves when all have ended */
  close(): Promise<void>;
}

/** Makes a {@link Listener}. @throws `invalid_input` when certificate and key do not fit */
export function createListener(tls: TlsFiles | null, times: RequestTimes = REQUEST_TIMES): Listener {
  let handler: RequestListener = answerStarting;
  const onRequest: RequestListener = (request, response) => handler(request, response);
  const options = {
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkMs,
  };
  const server = tls === null ? createServer(options, onRequest) : createSecure({ ...options, ...tls }, onRequest);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('connection', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
  const connections = new Set<Socket>();
  server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return {
    server,
    async listen(port, host) {
      try {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen({ port, host, exclusive: true }, () => {
            server.off('error', reject);
            resolve();
          });
        });
      } catch (error) {
        throw listenError(error, port, host);
      }
      return (server.address() as AddressInfo).port;
    },
    serve(next) {
      handler = next;
    },
    close: () =>
      new Promise((resolve) => {
        // the one error there can be says that it was not listening, which is what is wanted
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
        // clients open some in advance; Node does not call them idle before their first request
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
      }),
  };
}

function createSecure(options: ServerOptions, onRequest: RequestListener): Server {
  try {
    return createTlsServer({ ...options, handshakeTimeout: TLS_HANDSHAKE_MS }, onRequest);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', `--tls-cert and --tls-key cannot be used: ${why}`, { cause });
  }
}

function answerStarting(request: { readonly url?: string | undefined }, response: ServerResponse): void {
  const isHealth = request.url === '/health';
  response.writeHead(isHealth ? 200 : 503, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(isHealth ? {} : { 'retry-after': '1' }),
  });
  response.end(isHealth ? '{"status":"up"}' : STARTING);
}

function listenError(error: unknown, port: number, host: string): TabmeshError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'EADDRINUSE') {
    return new TabmeshError(
      'conflict',
      `port ${String(port)} on ${host} is taken; choose another with --port (0 takes any)`,
    );
  }
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'ports below 1024 need special rights',
    EADDRNOTAVAIL: 'this machine does not have that address',
    ENOTFOUND: 'the name does not resolve',
  };
  return new TabmeshError('invalid_input', `cannot listen on ${host} port ${String(port)}: ${reasons[code] ?? code}`, {
    cause: error,
  });
}
