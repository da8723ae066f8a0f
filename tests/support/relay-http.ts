import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditLog } from '../../relay/audit/log.ts';
import type { AuditLog } from '../../src/monitor/audit/log.ts';
import { openDataDir } from '../../relay/data-dir/open.ts';
import { parseConfig } from '../../relay/config/parse.ts';
import { relayUrls, type RelayUrls } from '../../relay/config/urls.ts';
import { createUpstreams, type UpstreamsOptions } from '../../relay/http/fetch/upstreams.ts';
import type { RequestTimes } from '../../relay/http/listener.ts';
import { createMetrics } from '../../relay/http/metrics.ts';
import { createHttpServer, type HttpDeps } from '../../relay/http/server.ts';
import type { Rooms } from '../../relay/rooms.ts';
import { createTickets, type Tickets } from '../../relay/tickets.ts';
import { openTokens, type Tokens } from '../../relay/tokens/tokens.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { silentLog } from '../../src/lib/log.ts';
import { memoryRoom, type MemoryRoom } from './room-tools.ts';

export interface TestRelay {
  readonly urls: RelayUrls;
  readonly rooms: readonly MemoryRoom[];
  readonly tokens: Tokens;
  readonly audit: AuditLog;
  /** its data folder */
  readonly folder: string;
  readonly tickets: Tickets;
  close(): Promise<void>;
}

export type TestRelayOptions = Partial<Omit<HttpDeps, 'rooms' | 'upstreams'>> & {
  /** the first is the default one */
  readonly memoryRooms?: readonly MemoryRoom[];
  readonly upstreams?: Partial<UpstreamsOptions>;
  readonly args?: readonly string[];
  /** shorter ones, for a test that waits for them */
  readonly times?: RequestTimes;
};

/** The whole HTTP side on a free loopback port, around rooms in memory. */
export async function startTestRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const { memoryRooms = [memoryRoom('room-a')], upstreams: upstreamOptions, args = [], times, ...deps } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-test-'));
  const config = parseConfig(['--port', '0', '--data', folder, ...args], {});
  if (config === 'help') throw new Error('not a relay');
  const http = createHttpServer({ tls: null, clock: systemClock, log: silentLog, ...(times && { times }) });
  const urls = relayUrls(config, await http.listen(config.port, config.host));
  const dataDir = await openDataDir(folder);
  const tokens = await openTokens({ dataDir, mcp: urls.mcp, clock: systemClock, log: silentLog });
  const audit = await openAuditLog({
    dataDir: folder,
    keepArguments: config.auditArguments,
    clock: systemClock,
    log: silentLog,
  });
  const metrics = createMetrics();
  const tickets = createTickets(urls.fetch, systemClock);
  const upstreams = createUpstreams({ clock: systemClock, overrides: config.upstreams, ...upstreamOptions });
  const rooms: Rooms = {
    byId: (id) => memoryRooms.find(({ room }) => room === id),
    default: memoryRooms[0],
    all: () => memoryRooms,
  };
  await http.serve({
    urls,
    config: {
      version: '0',
      peerId: '12D3KooWRelay' as PeerId,
      multiaddrs: [],
      open: false,
      directFetch: true,
      demo: false,
      contact: 'test@example.org',
    },
    accessKey: null,
    rooms,
    tokens,
    oauth: config.oauth,
    corsOrigins: config.corsOrigins,
    audit,
    metrics,
    tickets,
    upstreams,
    appFolder: join(folder, 'no-app'),
    upgradeTaker: () => undefined,
    trustProxy: config.trustProxy,
    loopbackOnly: true,
    ...deps,
  });
  return {
    urls,
    rooms: memoryRooms,
    tokens,
    audit,
    folder,
    tickets,
    async close() {
      await http.close();
      tokens.close();
      await audit.close();
      await upstreams.close();
      await dataDir.close();
      await rm(folder, { recursive: true });
    },
  };
}
