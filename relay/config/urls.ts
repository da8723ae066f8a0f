import { isIP, isIPv6 } from 'node:net';
import { isLoopbackHost, isWildcard, machineAddresses } from './hosts.ts';
import type { Config } from './parse.ts';

/** Where this relay is reached; everything that it announces or prints comes from here. */
export interface RelayUrls {
  /** the app, with a slash at the end */
  readonly app: string;
  readonly mcp: string;
  /** the tools as REST */
  readonly rest: string;
  readonly fetch: string;
  /** exact origins that are this relay itself, as browsers write them */
  readonly origins: readonly string[];
  /** `Host` values (lower case, with port unless it is the default one) that mean this relay */
  readonly hosts: readonly string[];
  /** libp2p WebSocket addresses without peer id, best first */
  readonly announce: readonly string[];
  /** whether a browser grants the app a secure context there */
  readonly secure: boolean;
}

/**
 * Derives the URLs of a relay.
 * @param port the one it really listens on
 * @param lanAddresses the machine's own addresses, which count when it listens on all of them
 */
export function relayUrls(
  config: Pick<Config, 'host' | 'publicUrl' | 'tls'>,
  port: number,
  lanAddresses: readonly string[] = machineAddresses(),
): RelayUrls {
  const scheme = config.tls === null ? 'http' : 'https';
  const own = (host: string) => new URL(`${scheme}://${isIPv6(host) ? `[${host}]` : host}:${String(port)}`);
  const bound = isWildcard(config.host) ? ['127.0.0.1', ...lanAddresses] : [config.host];
  const loopback = bound.some(isLoopbackHost) ? ['127.0.0.1', 'localhost', '::1'] : [];
  const main = config.publicUrl ?? own(bound[0] ?? config.host);
  const all = [main, ...[...bound, ...loopback].map(own)];
  const announced = config.publicUrl === null ? bound.map(own) : [config.publicUrl];
  return {
    app: main.href,
    mcp: new URL('mcp', main).href,
    rest: new URL('api/tools', main).href,
    fetch: new URL('fetch', main).href,
    origins: unique(all.map((url) => url.origin)),
    hosts: unique(all.map((url) => url.host)),
    announce: unique(announced.map(webSocketAddress)),
    secure: main.protocol === 'https:' || isLoopbackHost(main.hostname),
  };
}

/** `/ip4/127.0.0.1/tcp/8787/ws`, `/dns4/relay.example.org/tcp/443/tls/ws`: the multiaddr of a WebSocket at this origin. */
function webSocketAddress(url: URL): string {
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? '443' : '80') : url.port;
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // a name would be looked up before dialling, and "localhost" may come out as the family we do not listen on
  const host = bare === 'localhost' ? '127.0.0.1' : bare;
  const family = { 0: 'dns4', 4: 'ip4', 6: 'ip6' }[isIP(host)] ?? 'dns4';
  return `/${family}/${host}/tcp/${port}/${tls ? 'tls/ws' : 'ws'}`;
}

const unique = (values: readonly string[]) => [...new Set(values)];
