import { resolve } from 'node:path';
import { TabmeshError } from '../../src/lib/errors.ts';
import { ADDRESS_SERVICES, type AddressService } from '../../src/mesh/bootstrap/public-address.node.ts';
import { GITHUB_API } from '../../src/mesh/discovery/github-api.ts';
import { parseRepository, type Repository } from '../../src/mesh/discovery/github-repository.ts';
import { badOption } from './bad-option.ts';
import { isLoopbackHost } from './hosts.ts';
import type { OptionName } from './options.ts';

/** What the relay asks of services outside, for itself. Each is off until its owner names it: they learn who asks. */
export interface OutsideConfig {
  readonly natStun: readonly string[];
  /** asked in this order */
  readonly ipServices: readonly AddressService[];
  readonly github: (Repository & { readonly api: string; readonly tokenFile: string }) | null;
}

/** RFC 7064: over UDP, since it is a NAT's treatment of UDP that is asked for. */
const STUN_URL = /^stun:(?:\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::\d{1,5})?$/i;
/** One more than is needed to tell the kinds of NAT apart. */
const MAX_STUN = 3;
/** Twice the usual ones; they are asked one after the other. */
const MAX_SERVICES = 10;
const USUAL = 'usual';

/**
 * Reads `--nat-stun`, `--ip-service` and `--github-…`.
 * @throws `invalid_input`, with a message of one line
 */
export function parseOutside(options: {
  readonly natStun: readonly string[];
  readonly ipServices: readonly string[];
  readonly registry: string | undefined;
  readonly tokenFile: string | undefined;
  readonly api: string | undefined;
  /** whether the relay is a member of a room: its peer there is who asks */
  readonly hasRoom: boolean;
}): OutsideConfig {
  const { natStun, ipServices, registry, tokenFile, api, hasRoom } = options;
  if (!hasRoom && (natStun.length > 0 || ipServices.length > 0 || registry !== undefined)) {
    throw new TabmeshError(
      'invalid_input',
      '--nat-stun, --ip-service and --github-registry are for the relay’s peer in a room, and with --no-room it has none',
    );
  }
  const bad = natStun.find((url) => !STUN_URL.test(url));
  if (bad !== undefined) throw badOption('nat-stun', bad, 'an address such as stun:stun.example.org:3478');
  if (natStun.length > MAX_STUN) throw badOption('nat-stun', natStun.join(' '), `at most ${MAX_STUN} addresses`);
  const services = ipServices.flatMap((url): readonly AddressService[] =>
    url === USUAL ? ADDRESS_SERVICES : [{ url: safeUrl('ip-service', url, `${USUAL}, or an https URL`), ipv6: false }],
  );
  if (services.length > MAX_SERVICES) {
    throw badOption('ip-service', ipServices.join(' '), `at most ${MAX_SERVICES} services`);
  }
  return { natStun: [...new Set(natStun)], ipServices: services, github: github(registry, tokenFile, api) };
}

function github(
  registry: string | undefined,
  tokenFile: string | undefined,
  api: string | undefined,
): OutsideConfig['github'] {
  if (registry === undefined && tokenFile === undefined && api === undefined) return null;
  if (registry === undefined || tokenFile === undefined) {
    throw new TabmeshError(
      'invalid_input',
      '--github-registry and --github-token-file go together: give both or neither',
    );
  }
  const repository = parseRepository(registry);
  if (repository === undefined) throw badOption('github-registry', registry, 'a repository such as lab/peers');
  const base = api === undefined ? GITHUB_API : safeUrl('github-api', api, 'an https URL').replace(/\/$/, '');
  return { ...repository, api: base, tokenFile: resolve(tokenFile) };
}

/** In clear only on this machine: a token, or the answer to whom this relay is, must not be anybody's to change. */
function safeUrl(name: OptionName, value: string, expected: string): string {
  const url = URL.parse(value);
  const plain = url !== null && `${url.username}${url.password}${url.hash}` === '';
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (!plain || !safe) throw badOption(name, value, expected);
  return url.href;
}
