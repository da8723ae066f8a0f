import { isWireError, TabmeshError } from '../../../lib/errors.ts';
import type { HttpFetch } from '../../../lib/http-fetch.ts';
import type { DeviceId } from '../../../lib/ids.ts';

/** The relay signs a list and stores it; one that takes longer is in trouble. */
const TIMEOUT_MS = 15_000;
/** What a bearer token is made of (RFC 6750, 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Has the relay that serves this page, as the room's maker, appoint a device as an owner. The token goes into this one
 * request and is kept nowhere.
 * @param token the relay's owner token
 * @throws `unauthorized` for a wrong token, `forbidden` for one that is not the owner's or a relay that did not make the
 * room, `not_found` when the relay has not seen the device in its room, `peer_unreachable` when it does not answer
 */
export async function becomeOwner(token: string, device: DeviceId, http: HttpFetch): Promise<void> {
  if (!TOKEN.test(token)) throw unknownToken();
  let response: Response;
  try {
    response = await http('/api/tools/appoint_owner', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ device }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (cause) {
    throw new TabmeshError('peer_unreachable', 'the relay that serves this page does not answer', {
      hint: 'Check that it runs, then try again.',
      retryable: true,
      cause,
    });
  }
  if (response.ok) return;
  if (response.status === 401) throw unknownToken();
  // a proxy in between answers in its own words
  const body: unknown = await response.json().catch(() => null);
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
  if (isWireError(error)) throw TabmeshError.fromWire(error);
  throw new TabmeshError('peer_unreachable', `the relay answered with status ${String(response.status)}`, {
    hint: 'This page may be served by something else than a Tabmesh relay.',
  });
}

/** The relay's own words are for programs that send headers. */
function unknownToken(): TabmeshError {
  return new TabmeshError('unauthorized', 'the relay does not know this token', {
    hint: 'Copy the whole token that it printed when it started.',
  });
}
