import { readFile } from 'node:fs/promises';
import type { McpProvider } from '../src/contracts/mcp.ts';
import { systemClock, type Clock } from '../src/lib/clock.ts';
import { TabmeshError } from '../src/lib/errors.ts';
import type { Log } from '../src/lib/log.ts';
import type { OutsideServices } from '../src/peer/node/outside.ts';
import { relayRecord, tokenRecord } from './audit/events.ts';
import { openAuditLog } from './audit/log.ts';
import { isLoopbackHost } from './config/hosts.ts';
import type { OptionName } from './config/options.ts';
import type { Config } from './config/parse.ts';
import { directAddresses } from './config/webrtc-direct.ts';
import { UPSTREAMS } from './config/upstreams.ts';
import { relayUrls, type RelayUrls } from './config/urls.ts';
import { openDataDir } from './data-dir/open.ts';
import { startDemoUpstream } from './demo/upstream.ts';
import { upstreamsFetchPort } from './http/fetch/port.ts';
import { createUpstreams } from './http/fetch/upstreams.ts';
import type { TlsFiles } from './http/listener.ts';
import { openPinStores } from './http/mcp/pin-store.ts';
import { createMetrics } from './http/metrics.ts';
import { createHttpServer } from './http/server.ts';
import type { IceConfig } from './ice.ts';
import type { RelayPeers, StartRelayPeers } from './peers.ts';
import { createTickets } from './tickets.ts';
import { openTokens } from './tokens/tokens.ts';
import { VERSION } from './version.ts';

/** A relay that serves. */
export interface Relay {
  readonly urls: RelayUrls;
  readonly peers: RelayPeers;
  /** the owner's */
  readonly token: string;
  /** stops everything, last started first; the same promise when called again */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly config: Config;
  readonly startRelayPeers: StartRelayPeers;
  /** what its peer in the room answers to MCP instead of its own tools, resources and prompts */
  readonly mcp?: McpProvider;
  /** absolute path of the built app */
  readonly appFolder: string;
  readonly log: Log;
  /** the system's, unless a test is in a hurry */
  readonly clock?: Clock;
  /** stops a start that is under way */
  readonly signal: AbortSignal;
}

/**
 * Starts a relay: data folder, port, peers, then the routes. When a step fails, what was started before is stopped.
 * @throws TabmeshError with a message of one line
 */
export async function startRelay(options: StartOptions): Promise<Relay> {
  const { config, startRelayPeers, appFolder, log, signal, clock = systemClock } = options;
  const running = new Closers(log);
  try {
    const tls = await readTls(config);
    const dataDir = await openDataDir(config.dataDir);
    running.add('data folder', () => dataDir.close());

    const http = createHttpServer({ tls, clock, log });
    const port = await http.listen(config.port, config.host);
    running.add('http', () => http.close());
    const urls = relayUrls(config, port);

    const overrides = new Map(config.upstreams);
    if (config.demo && !overrides.has(UPSTREAMS.pubmed)) {
      const demo = await startDemoUpstream({ host: '127.0.0.1', port: 0 });
      running.add('demo upstream', () => demo.close());
      overrides.set(UPSTREAMS.pubmed, demo.url);
    }
    const upstreams = createUpstreams({ clock, overrides });
    running.add('upstreams', () => upstreams.close());

    const audit = await openAuditLog({ dataDir: dataDir.path, keepArguments: config.auditArguments, clock, log });
    running.add('audit log', () => audit.close());
    const tokens = await openTokens({ dataDir, mcp: urls.mcp, clock, log });
    running.add('tokens', () => {
      tokens.close();
      return Promise.resolve();
    });
    tokens.subscribe((change) => {
      audit.record(tokenRecord(change));
    });
    const tickets = createTickets(urls.fetch, clock);
    signal.throwIfAborted();
    const peers = await startRelayPeers({
      dataDir: dataDir.path,
      room: config.room,
      openRelay: config.openRelay,
      direct: config.webrtcDirect === null ? null : directAddresses(config.webrtcDirect, config.host),
      ice: await readIce(config),
      outside: await readOutside(config),
      urls,
      fetch: upstreamsFetchPort(upstreams),
      issueTicket: (holder) => tickets.issue(holder),
      tokens,
      audit,
      contact: config.contact,
      ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
      clock,
      log,
      signal,
    });
    running.add('peers', () => peers.close());
    signal.throwIfAborted();

    const metrics = createMetrics();
    metrics.add(peers.samples);
    await http.serve({
      urls,
      config: {
        version: VERSION,
        peerId: peers.peerId,
        multiaddrs: peers.multiaddrs,
        open: config.openRelay,
        directFetch: overrides.size === 0,
        demo: config.demo,
        contact: config.contact,
      },
      accessKey: tellsAccessKey(config) ? () => peers.accessKey() : null,
      rooms: peers.rooms,
      tokens,
      oauth: config.oauth,
      corsOrigins: config.corsOrigins,
      audit,
      metrics,
      tickets,
      upstreams,
      appFolder,
      upgradeTaker: (path) => peers.upgradeTaker(path),
      pinStore: openPinStores(dataDir.path),
      trustProxy: config.trustProxy,
      loopbackOnly: isLoopbackHost(config.host),
    });
    audit.record(relayRecord('relay.started', peers.peerId));
    // from now on first: calls that still run need the peers
    running.add('routes', async () => {
      await http.close();
      audit.record(relayRecord('relay.stopped', peers.peerId));
    });
    return { urls, peers, token: tokens.owner, close: () => running.close() };
  } catch (error) {
    await running.close();
    throw error;
  }
}

async function readTls({ tls }: Config): Promise<TlsFiles | null> {
  if (tls === null) return null;
  try {
    const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
    return { cert, key };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', `--tls-cert and --tls-key cannot be read: ${why}`, { cause });
  }
}

/**
 * Whether pages of this relay are told its access key. Only where nobody but this machine's users reaches it: then the key
 * keeps out foreign pages alone, which cannot read the answer. With a proxy before it, the whole world may be asking.
 */
function tellsAccessKey({ host, publicUrl, trustProxy }: Config): boolean {
  return isLoopbackHost(host) && publicUrl === null && !trustProxy;
}

async function readIce({ ice }: Config): Promise<IceConfig> {
  const { stun, turn, turnSecretFile } = ice;
  return {
    stun,
    turn,
    turnSecret: turnSecretFile === null ? null : await readSecret('turn-secret-file', turnSecretFile),
  };
}

async function readOutside({ outside: { natStun, ipServices, github } }: Config): Promise<OutsideServices> {
  const services = { stun: natStun, addressServices: ipServices };
  if (github === null) return services;
  const { owner, repo, api, tokenFile } = github;
  const token = await readSecret('github-token-file', tokenFile);
  return { ...services, github: { owner, repo, baseUrl: api, token } };
}

/** A secret in a file of its own: what is on a command line is in the list of processes, and in a shell's history. */
async function readSecret(option: OptionName, path: string): Promise<string> {
  try {
    const secret = (await readFile(path, 'utf8')).trim();
    if (secret === '') throw new Error('it is empty');
    return secret;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', `--${option} cannot be read: ${why}`, { cause });
  }
}

/** What has been started, to be stopped in reverse. One that fails to stop does not keep the others running. */
class Closers {
  readonly #started: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#started.push({ name, close });
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#started.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.error('did not stop cleanly', { part: name, error: String(error) });
      }
    }
  }
}
