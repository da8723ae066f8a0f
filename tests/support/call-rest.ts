import type { WireError } from '../../src/lib/errors.ts';
import type { LiveRelay } from './live-relay.ts';

export interface RestAnswer {
  readonly status: number;
  readonly result: Record<string, unknown>;
  readonly error: WireError;
}

/** One REST call at a relay. @param token the owner's when absent */
export async function callRest(
  { relay }: LiveRelay,
  tool: string,
  args: object,
  options: { readonly place?: string; readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<RestAnswer> {
  const { place, token = relay.token, headers = {} } = options;
  const query = place === undefined ? '' : `?place=${encodeURIComponent(place)}`;
  const response = await fetch(`${relay.urls.rest}/${tool}${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(args),
  });
  const { result, error, ...problem } = (await response.json()) as Record<string, unknown>;
  return {
    status: response.status,
    result: (result ?? {}) as Record<string, unknown>,
    error: (error ?? problem) as unknown as WireError,
  };
}
