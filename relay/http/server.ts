import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import { createDoor, DOOR_LIMITS, type DoorLimits } from './door.ts';
import { createListener, type TlsFiles } from './listener.ts';
import { createMcpEndpoint } from './mcp/endpoint.ts';
import type { SessionLimits } from './mcp/limits.ts';
import { createRoutes, type RoutesDeps } from './routes.ts';
import type { OriginRules } from './request-origin.ts';
import { createUpgrades } from './upgrade.ts';

/** Requests that still run when the relay stops get this long; then their connections are cut. */
const DRAIN_MS = 3_000;

/** What the HTTP side serves, once the peers are there. */
export interface HttpDeps extends RoutesDeps {
  /** loopback port for a WebSocket upgrade at this path */
  readonly upgradePort: (path: string) => number | undefined;
  /** bound to loopback: only this relay's own names are answered */
  readonly loopbackOnly: boolean;
  readonly doorLimits?: DoorLimits;
  readonly sessionLimits?: SessionLimits;
}

/** The relay's HTTP side. */
export interface HttpServer {
  /** opens the port; until `serve`, requests are told that the relay is starting. @throws `conflict`, `invalid_input` */
  listen(port: number, host: string): Promise<number>;
  serve(deps: HttpDeps): Promise<void>;
  /** ends sessions, streams and upgraded connections, lets requests finish for a moment, closes the port; harmless again */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly tls: TlsFiles | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the HTTP side, not yet listening. @throws `invalid_input` when the certificate cannot be used */
export function createHttpServer({ tls, clock, log }: HttpServerOptions): HttpServer {
  const listener = createListener(tls);
  let closing: Promise<void> | undefined;
  let stopServing: () => Promise<void> = () => Promise.resolve();

  return {
    listen: (port, host) => listener.listen(port, host),

    async serve(deps) {
      const { server } = listener;
      const rules: OriginRules = { origins: deps.urls.origins, hosts: deps.loopbackOnly ? deps.urls.hosts : null };
      const { sessionLimits, doorLimits = DOOR_LIMITS } = deps;
      const mcp = createMcpEndpoint({ clock, log, ...(sessionLimits && { sessionLimits }) });
      const app = await createRoutes(deps, { server, mcp, rules, clock, log });
      const upgrades = createUpgrades({
        port: deps.upgradePort,
        door: createDoor(doorLimits, clock),
        rules,
        trustProxy: deps.trustProxy,
        log,
      });
      server.on('upgrade', (request, socket, head) => {
        upgrades.handle(request, socket, head);
      });
      listener.serve((request, response) => {
        app.routing(request, response);
      });
      stopServing = async () => {
        upgrades.close();
        await mcp.close();
        await app.close();
      };
    },

    close() {
      closing ??= (async () => {
        const closed = listener.close();
        await stopServing();
        const cut = setTimeout(() => {
          listener.server.closeAllConnections();
        }, DRAIN_MS);
        await closed;
        clearTimeout(cut);
      })();
      return closing;
    },
  };
}
