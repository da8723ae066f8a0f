import type { NotApplicable, RelayHealth, RelayUnderTest } from '../../contracts/doctor.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { HttpFetch } from '../../lib/http-fetch.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';

/** HTTP cuts the time off to whole seconds: it is half a second later on average (RFC 9110 §5.6.7). */
const CUT_OFF_MS = 500;

/**
 * Asks a relay whether it is up, at all of its addresses at once; the first that answers counts.
 * @throws `upstream_unreachable` when none does, `upstream_malformed` when something else than a relay answers
 */
export async function askRelayHealth(
  { ways }: Pick<RelayUnderTest, 'ways'>,
  fetch: HttpFetch,
  now: () => number,
  signal: AbortSignal,
): Promise<RelayHealth | NotApplicable> {
  const pages = ways.flatMap(({ host, origin }) => (origin === null ? [] : [{ host, url: `${origin}/health` }]));
  if (pages.length === 0) return { skip: 'It is reached by WebRTC-Direct, which has no HTTP.' };
  const answered = new AbortController();
  const limit = AbortSignal.any([signal, answered.signal]);
  try {
    return await Promise.any(pages.map(({ host, url }) => askHost(host, url, fetch, now, limit)));
  } catch (thrown) {
    signal.throwIfAborted();
    const errors = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [thrown];
    // a wrong answer tells more than none
    throw errors.find((error) => error instanceof TabmeshError) ?? unreachable(errors[0]);
  } finally {
    answered.abort();
  }
}

async function askHost(
  host: string,
  url: string,
  fetch: HttpFetch,
  now: () => number,
  signal: AbortSignal,
): Promise<RelayHealth> {
  const startedAt = now();
  const response = await fetch(url, { signal, cache: 'no-store', credentials: 'omit', redirect: 'error' });
  const endedAt = now();
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok || !isObject(body) || body['status'] !== 'up') {
    throw new TabmeshError('upstream_malformed', `something else than a relay answered, HTTP ${response.status}`);
  }
  const date = Date.parse(response.headers.get('date') ?? '');
  const clockOffsetMs = Number.isNaN(date) ? null : date + CUT_OFF_MS - (startedAt + endedAt) / 2;
  return { host, tookMs: endedAt - startedAt, clockOffsetMs };
}

function unreachable(cause: unknown): TabmeshError {
  const { code } = toTabmeshError(cause, 'upstream_unreachable');
  return new TabmeshError(code, 'nobody there', { cause, retryable: true });
}
