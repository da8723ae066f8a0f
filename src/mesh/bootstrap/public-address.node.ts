import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { HttpFetch } from '../../lib/http-fetch.ts';
import type { Log } from '../../lib/log.ts';
import { ipVersion } from './ip-address.ts';

/** A service that answers a GET with the asker's address and nothing else. */
export interface AddressService {
  readonly url: string;
  /** it can be reached by IPv6 */
  readonly ipv6: boolean;
}

/** The services that are usually asked, in this order. Nothing asks them unless its owner says so: they learn who asks. */
export const ADDRESS_SERVICES: readonly AddressService[] = [
  { url: 'https://api.ipify.org', ipv6: false },
  { url: 'https://api64.ipify.org', ipv6: true },
  { url: 'https://checkip.amazonaws.com', ipv6: false },
  { url: 'https://icanhazip.com', ipv6: true },
  { url: 'https://ifconfig.me/ip', ipv6: true },
];

/** These services answer in a few hundred ms; the next may be better off. */
const SERVICE_TIMEOUT_MS = 5_000;
/** A line's address changes once a day at most. */
const CACHE_MS = 3_600_000;
/** the longest IPv6 address and a line end */
const MAX_BODY_BYTES = 64;

export interface PublicAddressOptions {
  readonly services: readonly AddressService[];
  readonly fetch: HttpFetch;
  readonly clock: Clock;
  readonly log: Log;
}

/** Finds out under which address the internet sees this host. */
export class PublicAddress {
  readonly #options: PublicAddressOptions;
  #found: { readonly address: string; readonly at: number } | null = null;

  constructor(options: PublicAddressOptions) {
    this.#options = options;
  }

  /** the address found within the last hour, without asking anybody; else null */
  cached(): string | null {
    const { clock } = this.#options;
    return this.#found !== null && clock.now() - this.#found.at <= CACHE_MS ? this.#found.address : null;
  }

  /**
   * Asks the services one after the other until one gives an address.
   * @param options.refresh asks even when one is known
   * @param options.preferIpv6 asks first those that can be reached by IPv6, in their order
   * @returns null when none does
   * @throws `cancelled`
   */
  async find(
    signal: AbortSignal,
    { refresh = false, preferIpv6 = false }: { readonly refresh?: boolean; readonly preferIpv6?: boolean } = {},
  ): Promise<string | null> {
    const { services, clock, log } = this.#options;
    const known = refresh ? null : this.cached();
    if (known !== null) return known;
    const order = preferIpv6 ? services.toSorted((a, b) => Number(b.ipv6) - Number(a.ipv6)) : services;
    for (const service of order) {
      signal.throwIfAborted();
      try {
        const address = await this.#ask(service, signal);
        this.#found = { address, at: clock.now() };
        return address;
      } catch (thrown) {
        log.info('no public address', { service: service.url, reason: toTabmeshError(thrown).message });
      }
    }
    signal.throwIfAborted();
    return null;
  }

  async #ask(service: AddressService, signal: AbortSignal): Promise<string> {
    const { clock, fetch } = this.#options;
    const deadline = startDeadline({ clock, ms: SERVICE_TIMEOUT_MS, what: service.url, signal });
    try {
      const response = await deadline.race(fetch(service.url, { signal: deadline.signal, redirect: 'error' }));
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new TabmeshError('upstream_error', `${service.url} answered ${response.status}`);
      }
      const text = (await deadline.race(readShort(response))).trim();
      if (ipVersion(text) === null) {
        throw new TabmeshError('upstream_malformed', `${service.url} answered something else than an IP address`);
      }
      return text;
    } finally {
      deadline.dispose();
    }
  }
}

/** The first bytes of a body, one more than an address can have; the rest is not read. */
async function readShort(response: Response): Promise<string> {
  const bytes: number[] = [];
  // leaving the loop cancels the stream
  for await (const chunk of response.body ?? []) {
    bytes.push(...(chunk as Uint8Array).subarray(0, MAX_BODY_BYTES + 1));
    if (bytes.length > MAX_BODY_BYTES) break;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
