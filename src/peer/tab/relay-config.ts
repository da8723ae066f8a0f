import { base64url } from 'multiformats/bases/base64';
import type { RelayConfig } from '../../contracts/relay.ts';
import { RELAY_KEY_TEXT } from '../../contracts/relay.ts';
import type { Invite } from '../../contracts/mesh.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { ACCESS_KEY_BYTES } from '../../mesh/identity/invite.ts';
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
    const valid =
      isObject(config) &&
      Array.isArray(config['multiaddrs']) &&
      typeof config['directFetch'] === 'boolean' &&
      typeof config['open'] === 'boolean';
    return valid ? (config as unknown as RelayConfig) : null;
  } catch {
    // away: the invite's relays and the members we find are enough
    return null;
  }
}

/** The access key that the relay of this page tells, by the relay’s peer id. */
export function readAccessKey({ peerId, accessKey }: RelayConfig): Invite['access'] {
  if (accessKey === null) return {};
  try {
    const key = base64url.baseDecode(accessKey);
    return key.byteLength === ACCESS_KEY_BYTES ? { [peerId]: key } : {};
  } catch {
    // a relay of another version: rooms are joined by invites all the same
    return {};
  }
}

/** Reads an access key that a person has typed in. @throws `invalid_input` */
export function readRelayKey(text: string): Uint8Array {
  const trimmed = text.trim();
  if (RELAY_KEY_TEXT.test(trimmed)) return base64url.baseDecode(trimmed);
  throw new TabmeshError('invalid_input', 'that is no access key: it has 22 letters, digits, - and _', {
    hint: 'Copy all of what the relay’s owner sent.',
  });
}
