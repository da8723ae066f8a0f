import type { FetchAnswer, FetchPort } from '../../contracts/fetch.ts';
import type { FetchTicket } from '../../contracts/relay.ts';
import { FETCH_ERROR_HEADER } from '../../contracts/relay.ts';
import { isWireError, TabmeshError } from '../../lib/errors.ts';
import { brokenFetch, readAnswer } from './read-body.ts';

/** A little over the relay's own bound, so that its typed error arrives first. */
const FETCH_TIMEOUT_MS = 70_000;

/** How a tab reaches upstream services now. */
export type FetchRoute = { readonly via: 'relay'; readonly ticket: FetchTicket } | { readonly via: 'direct' };

/** A tab's way out: a member relay's `/fetch` with a ticket; without a member relay, the service itself, where CORS allows. */
export function createTabFetch(options: {
  /** @param renew the last ticket was refused: get another. @throws when there is no way out */
  readonly route: (renew: boolean, signal: AbortSignal) => Promise<FetchRoute>;
}): FetchPort {
  const { route } = options;

  const get = async (url: string, way: FetchRoute, signal: AbortSignal, accept?: string): Promise<FetchAnswer> => {
    const target = way.via === 'relay' ? `${way.ticket.url}?url=${encodeURIComponent(url)}` : url;
    const { host } = new URL(url);
    const asked = way.via === 'relay' ? `the relay at ${new URL(target).host}` : host;
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    if (way.via === 'relay') headers['authorization'] = `Bearer ${way.ticket.ticket}`;
    let response: Response;
    try {
      response = await fetch(target, { headers, signal, credentials: 'omit', redirect: 'follow', cache: 'no-store' });
    } catch (thrown) {
      throw brokenFetch(thrown, `${asked} could not be reached`, signal);
    }
    return readAnswer(response, host, signal);
  };

  return {
    async get(url, { signal, accept }) {
      const limit = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const bounded = AbortSignal.any([signal, limit]);
      const first = await get(url, await route(false, signal), bounded, accept);
      const error = relayError(first);
      if (error === null) return first;
      // a relay that restarted knows no ticket of before
      if (error.code !== 'unauthorized') throw error;
      const second = await get(url, await route(true, signal), bounded, accept);
      const again = relayError(second);
      if (again !== null) throw again;
      return second;
    },
  };
}

/** The relay's own refusal or failure, as against an answer of the service that it passes on. */
function relayError(answer: FetchAnswer): TabmeshError | null {
  if (answer.headers[FETCH_ERROR_HEADER] === undefined) return null;
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(answer.body));
    const error = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : undefined;
    if (isWireError(error)) return TabmeshError.fromWire(error);
  } catch (cause) {
    return unreadable(cause);
  }
  return unreadable();
}

function unreadable(cause?: unknown): TabmeshError {
  return new TabmeshError('upstream_error', 'the relay failed, and its error cannot be read', {
    retryable: true,
    cause,
  });
}
