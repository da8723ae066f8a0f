import { readFile } from 'node:fs/promises';
import { systemClock, type Clock } from '../src/lib/clock.ts';
import { TabmeshError } from '../src/lib/errors.ts';
import type { Log } from '../src/lib/log.ts';
import { isLoopbackHost } from './config/hosts.ts';
import type { Config } from './config/parse.ts';
import { directAddresses } from './config/webrtc-direct.ts';
import { UPSTREAMS } from './config/upstreams.ts';
import { relayUrls, type RelayUrls } from './config/urls.ts';
import { openDataDir } from './data-dir/open.ts';
import { startDemoUpstream } from './demo/upstream.ts';
import { upstreamsFetchPort } from './http/fetch/port.ts';
import { createUpstreams } from './http/fetch/upstreams.ts';
import type { TlsFiles } from './http/listener.ts';
import { createHttpServer } from './http/server.ts';
import type { IceConfig } from './ice.ts';
import type { RelayPeers, StartRelayPeers } from './peers.ts';
import { createTickets } from './tickets.ts';
import { openTokens } from './tokens.ts';
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

    const tokens = await openTokens(dataDir, urls.mcp, clock);
    const tickets = createTickets(urls.fetch, clock);
    signal.throwIfAborted();
    const peers = await startRelayPeers({
      dataDir: dataDir.path,
      room: config.room,
      openRelay: config.openRelay,
      direct: config.webrtcDirect === null ? null : directAddresses(config.webrtcDirect, config.host),
      ice: await readIce(config),
      urls,
      fetch: upstreamsFetchPort(upstreams),
      issueTicket: (holder) => tickets.issue(holder),
      createToken: (request) => tokens.create(request),
      contact: config.contact,
      clock,
      log,
      signal,
    });
    running.add('peers', () => peers.close());
    signal.throwIfAborted();

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
      tickets,
      upstreams,
      appFolder,
      upgradePort: (path) => peers.upgradePort(path),
      trustProxy: config.trustProxy,
      loopbackOnly: isLoopbackHost(config.host),
    });
    // from now on first: calls that still run need the peers
    running.add('routes', () => http.close());
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
  if (turnSecretFile === null) return { stun, turn, turnSecret: null };
  try {
    const turnSecret = (await readFile(turnSecretFile, 'utf8')).trim();
    if (turnSecret === '') throw new Error('it is empty');
    return { stun, turn, turnSecret };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', `--turn-secret-file cannot be read: ${why}`, { cause });
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
