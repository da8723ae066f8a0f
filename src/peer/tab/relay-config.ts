import type { RelayConfig } from '../../contracts/relay.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';

/** The relay that serves this page answers at once or is not there. */
const CONFIG_TIMEOUT_MS = 4_000;

/**
 * What the relay of this page's origin says about itself. Null when it is away (the installed app starts without it) or
 * when the page is served by something else.
 */
export async function fetchRelayConfig(signal: AbortSignal): Promise<RelayConfig | null> {
  try {
    const response = await fetch('/config', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONFIG_TIMEOUT_MS)]),
    });
    if (!response.ok) return null;
    const config: unknown = await response.json();
    const valid = isObject(config) && Array.isArray(config['multiaddrs']) && typeof config['directFetch'] === 'boolean';
    return valid ? (config as unknown as RelayConfig) : null;
  } catch {
    // away: the invite's relays and the members we find are enough
    return null;
  }
}
