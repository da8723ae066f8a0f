import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TabmeshError } from '../../src/lib/errors.ts';
import { DEFAULT_CONTACT } from '../../src/peer/contact.ts';
import { badOption } from './bad-option.ts';
import { parseIce } from './ice.ts';
import { DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT, environmentName, OPTION_ROWS } from './options.ts';
import type { OptionName, OptionRow } from './options.ts';
import type { OAuthConfig } from '../oauth/config.ts';
import { parseOAuth, parseOrigins } from './oauth.ts';
import { parseOutside, type OutsideConfig } from './outside.ts';
import { webrtcDirect, type DirectChoice } from './webrtc-direct.ts';
import { parseUpstreams, type UpstreamOverrides } from './upstreams.ts';

/** Which room the relay is a member of. */
export type RoomChoice =
  /** the one it made at first start */
  { readonly kind: 'own' } | { readonly kind: 'invite'; readonly invite: string } | { readonly kind: 'none' };

/** What the relay was asked to be. */
export interface Config {
  readonly port: number;
  /** without brackets when IPv6 */
  readonly host: string;
  readonly publicUrl: URL | null;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly trustProxy: boolean;
  /** absolute */
  readonly dataDir: string;
  readonly room: RoomChoice;
  /** anyone may use the relay */
  readonly openRelay: boolean;
  readonly webrtcDirect: DirectChoice | null;
  readonly ice: {
    readonly stun: readonly string[];
    readonly turn: readonly string[];
    readonly turnSecretFile: string | null;
  };
  /** services outside that this relay asks itself; none by default */
  readonly outside: OutsideConfig;
  /** pages of these origins may call `/mcp` and `/api`, besides our own */
  readonly corsOrigins: readonly string[];
  /** an identity provider whose tokens are accepted */
  readonly oauth: OAuthConfig | null;
  /** write the arguments of calls into the audit log */
  readonly auditArguments: boolean;
  readonly demo: boolean;
  readonly upstreams: UpstreamOverrides;
  /** the address that upstream services are told */
  readonly contact: string;
  readonly json: boolean;
}

type Values = Partial<Record<OptionName, string | boolean | readonly string[]>>;

/**
 * Reads the command line and the `TABMESH_*` environment variables; the command line wins.
 * @param args without node and the script
 * @returns `'help'` when that was asked for
 * @throws `invalid_input`, with a message of one line
 */
export function parseConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config | 'help' {
  const values: Values = { ...fromEnvironment(env), ...fromArguments(args) };
  if (values.help === true) return 'help';
  return {
    port: port(text(values, 'port')),
    host: host(text(values, 'host') ?? DEFAULT_HOST),
    publicUrl: publicUrl(text(values, 'public-url')),
    tls: tls(text(values, 'tls-cert'), text(values, 'tls-key')),
    trustProxy: values['trust-proxy'] === true,
    dataDir: resolve(text(values, 'data') ?? DEFAULT_DATA),
    room: room(text(values, 'room'), values['no-room'] === true),
    openRelay: values['open-relay'] === true,
    webrtcDirect: webrtcDirect(text(values, 'webrtc-direct')),
    ice: parseIce(list(values, 'stun'), list(values, 'turn'), text(values, 'turn-secret-file')),
    outside: parseOutside({
      natStun: list(values, 'nat-stun'),
      ipServices: list(values, 'ip-service'),
      registry: text(values, 'github-registry'),
      tokenFile: text(values, 'github-token-file'),
      api: text(values, 'github-api'),
      hasRoom: values['no-room'] !== true,
    }),
    corsOrigins: parseOrigins(list(values, 'cors-origin')),
    oauth: parseOAuth(text(values, 'oauth-issuer'), text(values, 'oauth-jwks'), text(values, 'oauth-audience')),
    auditArguments: values['audit-arguments'] === true,
    demo: values.demo === true,
    upstreams: parseUpstreams(list(values, 'upstream')),
    contact: contact(text(values, 'contact')),
    json: values.json === true,
  };
}

function fromArguments(args: readonly string[]): Values {
  const options = Object.fromEntries(
    OPTION_ROWS.map((row: OptionRow) => [row.name, { type: row.type, multiple: row.multiple ?? false }]),
  );
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    return values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TabmeshError('invalid_input', message.split('\n').join(' '), { hint: 'See --help.', cause });
  }
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Values {
  const values: Values = {};
  for (const row of OPTION_ROWS as readonly (OptionRow & { name: OptionName })[]) {
    const value = env[environmentName(row.name)];
    if (value === undefined || value === '') continue;
    if (row.type === 'boolean') values[row.name] = flag(row.name, value);
    else values[row.name] = row.multiple === true ? value.split(/[\s,]+/).filter((part) => part !== '') : value;
  }
  return values;
}

function flag(name: OptionName, value: string): boolean {
  if (['1', 'true', 'yes', 'on'].includes(value.toLowerCase())) return true;
  if (['0', 'false', 'no', 'off'].includes(value.toLowerCase())) return false;
  throw badOption(name, value, '1 or 0');
}

function text(values: Values, name: OptionName): string | undefined {
  const value = values[name];
  if (value === '') throw badOption(name, value, 'given: the value is empty');
  return typeof value === 'string' ? value : undefined;
}

function list(values: Values, name: OptionName): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function contact(value: string | undefined): string {
  if (value === undefined) return DEFAULT_CONTACT;
  if (!/^[^\s@]+@[^\s@]+$/.test(value)) throw badOption('contact', value, 'an e-mail address');
  return value;
}

function port(value: string | undefined): number {
  if (value === undefined) return DEFAULT_PORT;
  const number = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
  if (!(number <= 65_535)) throw badOption('port', value, 'a number from 0 to 65535');
  return number;
}

function host(value: string): string {
  const bare = value.replace(/^\[(.*)\]$/, '$1');
  // RFC 1123 §2.1: labels of letters, digits and inner hyphens
  const isName =
    /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/.test(bare) && !/^[\d.]+$/.test(bare);
  if (isIP(bare) === 0 && !isName) throw badOption('host', value, 'an IP address or a host name');
  return bare;
}

function publicUrl(value: string | undefined): URL | null {
  if (value === undefined) return null;
  const url = URL.parse(value);
  const bare = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '' && url.pathname === '/';
  if (!bare || !['http:', 'https:'].includes(url.protocol)) {
    throw badOption('public-url', value, 'an http or https URL of a host alone, such as https://relay.example.org');
  }
  return url;
}

function tls(certFile: string | undefined, keyFile: string | undefined): Config['tls'] {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined) {
    throw new TabmeshError('invalid_input', '--tls-cert and --tls-key go together: give both or neither');
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

function room(invite: string | undefined, none: boolean): RoomChoice {
  if (invite !== undefined && none) {
    throw new TabmeshError('invalid_input', '--room and --no-room exclude each other');
  }
  if (none) return { kind: 'none' };
  return invite === undefined ? { kind: 'own' } : { kind: 'invite', invite };
}
