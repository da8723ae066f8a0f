import type { ClientToken } from '../../src/contracts/relay.ts';
import type { TestRelay } from './relay-http.ts';

/** What a client of the REST interface sends and gets. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Asks a path of a relay with a token. A body that is no text is sent as JSON. */
export async function api(
  relay: Pick<TestRelay, 'urls'>,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> {
  const response = await fetch(new URL(path, relay.urls.app), {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
}

/** Makes a token with the owner's. */
export async function newToken(relay: TestRelay, request: Record<string, unknown>): Promise<ClientToken> {
  const { status, body } = await api(relay, relay.tokens.owner, 'POST', 'api/tokens', request);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as ClientToken;
}

/** The error code of an answer. */
export const codeOf = ({ body }: ApiAnswer): string | undefined =>
  (body as { error?: { code?: string } } | null)?.error?.code;
