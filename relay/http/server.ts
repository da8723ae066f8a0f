import type { Clock } from '../../src/lib/clock.ts';
import type { RoomId } from '../../src/lib/ids.ts';
import type { Log } from '../../src/lib/log.ts';
import { createDoor, DOOR_LIMITS, type DoorLimits } from './door.ts';
import { createListener, REQUEST_TIMES, type RequestTimes, type TlsFiles } from './listener.ts';
import { createMcpEndpoint } from './mcp/endpoint.ts';
import type { SessionLimits } from './mcp/limits.ts';
import type { PinStore } from './mcp/pins.ts';
import { createLiveRequests } from './gate/live-requests.ts';
import { CALL_RATES, createRates, type CallRates } from './gate/rates.ts';
import { createRoutes, type RoutesDeps } from './routes.ts';
import type { OriginRules } from './request-origin.ts';
import { serverSamples } from './server-samples.ts';
import { createUpgrades, type TakeUpgrade } from './upgrade.ts';

/** Requests that still run when the relay stops get this long; then their connections are cut. */
const DRAIN_MS = 3_000;

/** What the HTTP side serves, once the peers are there. */
export interface HttpDeps extends RoutesDeps {
  /** loopback port for a WebSocket upgrade at this path */
  readonly upgradeTaker: (path: string) => TakeUpgrade | undefined;
  /** bound to loopback: only this relay's own names are answered */
  readonly loopbackOnly: boolean;
  readonly doorLimits?: DoorLimits;
  readonly sessionLimits?: SessionLimits;
  /** where the definitions of other peers' tools are kept that were seen first; only in memory when absent */
  readonly pinStore?: (room: RoomId) => Promise<PinStore>;
  readonly callRates?: CallRates;
  /** pages of these origins may call `/mcp` and `/api`, besides our own */
  readonly corsOrigins: readonly string[];
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
  readonly times?: RequestTimes;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the HTTP side, not yet listening. @throws `invalid_input` when the certificate cannot be used */
export function createHttpServer({ tls, times = REQUEST_TIMES, clock, log }: HttpServerOptions): HttpServer {
  const listener = createListener(tls, times);
  let closing: Promise<void> | undefined;
  let stopServing: () => Promise<void> = () => Promise.resolve();

  return {
    listen: (port, host) => listener.listen(port, host),

    async serve(deps) {
      const { server } = listener;
      const rules: OriginRules = {
        origins: [...deps.urls.origins, ...deps.corsOrigins],
        hosts: deps.loopbackOnly ? deps.urls.hosts : null,
      };
      const { sessionLimits, doorLimits = DOOR_LIMITS, callRates = CALL_RATES, tokens, metrics, audit } = deps;
      const live = createLiveRequests(clock);
      const rates = createRates(callRates, clock);
      const mcp = createMcpEndpoint({
        clock,
        log,
        ...(sessionLimits && { sessionLimits }),
        ...(deps.pinStore && { pinStore: deps.pinStore }),
      });
      const app = await createRoutes(deps, { server, mcp, rules, live, rates, clock, log });
      const end = (tokenId: string) => {
        live.end(tokenId);
        // a session that does not close reports that itself
        void mcp.endSessionsOf(tokenId);
      };
      const unwatch = deps.rooms.all().map((gateway) =>
        gateway.watchMembers(() => {
          for (const { id, room, device } of tokens.list()) {
            if (room === gateway.room && device !== null && !gateway.admits(device)) end(id);
          }
        }),
      );
      const unsubscribe = tokens.subscribe(({ type, id }) => {
        if (type !== 'revoked') return;
        rates.forget(id);
        end(id);
      });
      const upgrades = createUpgrades({
        taker: deps.upgradeTaker,
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
      metrics.add(() => serverSamples({ mcp, live, upgrades, tokens, audit }));
      stopServing = async () => {
        unsubscribe();
        for (const stop of unwatch) stop();
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
