import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../../src/lib/clock.ts';
import { startDeadline, type Deadline } from '../../../src/lib/deadline.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { UpstreamOverrides } from '../../config/upstreams.ts';
import { VERSION } from '../../version.ts';
import { answerTooLarge } from '../../../src/peer/fetch/read-body.ts';
import type { Agents } from './agents.ts';
import { FETCH_LIMITS, MAX_REDIRECTS, PASSED_OVER_LIMIT_BYTES, type FetchLimits } from './limits.ts';
import { upstreamError } from './upstream-error.ts';
import { blocked, vetUrl } from './vet-url.ts';
import { resolveBySystem, type Resolve } from './vetted-lookup.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const DEFAULT_ACCEPT = '*/*';

/** The answer of a service; the body must be read to its end or given up with `return()`. */
export interface UpstreamAnswer {
  readonly status: number;
  /** lower-case names */
  readonly headers: Readonly<Record<string, string>>;
  /** canonical URL that answered, after redirects */
  readonly url: string;
  /** decompressed; throws `upstream_too_large`, `upstream_malformed`, `upstream_unreachable`, `timeout`, `cancelled` */
  readonly body: AsyncGenerator<Uint8Array, void, void>;
}

/** The only way out of this relay for requests that others ask for. */
export interface Upstreams {
  /**
   * One GET, redirects followed, each hop checked anew.
   * @param url canonical
   * @throws `invalid_input`, `upstream_blocked`, `upstream_unreachable`, `upstream_malformed`, `upstream_too_large`,
   *   `timeout`, `cancelled`
   */
  get(
    url: string,
    options: { readonly signal: AbortSignal; readonly accept?: string | undefined },
  ): Promise<UpstreamAnswer>;
  close(): Promise<void>;
}

export interface UpstreamsOptions {
  readonly clock: Clock;
  readonly overrides: UpstreamOverrides;
  readonly limits?: FetchLimits;
  readonly resolve?: Resolve;
}

/** Makes an {@link Upstreams}. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { clock, overrides, limits = FETCH_LIMITS, resolve = resolveBySystem } = options;
  // loaded with the first request: a megabyte that a relay whose room only talks never needs
  let loading: Promise<Agents> | undefined;
  const agents = () => (loading ??= import('./agents.ts').then(({ createAgents }) => createAgents(limits, resolve)));

  const send = async (url: URL, accept: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const { vetted, overridden } = await agents();
    const base = overrides.get(url.origin);
    // built from nothing: no header of the caller, above all no token or cookie, goes further than this
    const headers = { accept, 'accept-encoding': 'gzip', 'user-agent': `Tabmesh/${VERSION}` };
    if (base === undefined)
      return await vetted.request({ origin: url.origin, path: pathOf(url), method: 'GET', headers, signal });
    const target = new URL(`${base}${pathOf(url)}`);
    return await overridden.request({ origin: target.origin, path: pathOf(target), method: 'GET', headers, signal });
  };

  const follow = async (start: URL, accept: string, signal: AbortSignal) => {
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await send(url, accept, signal);
      const location = header(response.headers['location']);
      if (!REDIRECTS.has(response.statusCode) || location === undefined) return { url, response };
      discard(response.body);
      url = vetUrl(location, url);
    }
    throw blocked(`${start.host}: it redirects more than ${String(MAX_REDIRECTS)} times`);
  };

  return {
    async get(text, { signal, accept = DEFAULT_ACCEPT }) {
      const start = vetUrl(text);
      const deadline = startDeadline({ clock, ms: limits.totalMs, what: `the request to ${start.host}`, signal });
      try {
        const { url, response } = await follow(start, accept, deadline.signal);
        const headers = flatten(response.headers);
        const source = decoded(response.body, headers['content-encoding'], url.host);
        if (Number(headers['content-length']) > limits.maxBytes) {
          discard(source);
          throw answerTooLarge(url.host, limits.maxBytes);
        }
        return {
          status: response.statusCode,
          headers,
          url: url.href,
          body: bounded(source, url.host, limits.maxBytes, deadline),
        };
      } catch (error) {
        deadline.dispose();
        throw deadline.reason() ?? upstreamError(error, start.host);
      }
    },
    async close() {
      const open = await loading;
      await Promise.all([open?.vetted.destroy(), open?.overridden.destroy()]);
    },
  };
}

const pathOf = (url: URL) => `${url.pathname}${url.search}`;

function decoded(body: Readable, encoding: string | undefined, host: string): Readable {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding === 'gzip' || encoding === 'x-gzip') {
    // errors arrive at the reader of the result, so nothing is left to do in the callback
    return pipeline(body, createGunzip(), () => undefined);
  }
  discard(body);
  throw new TabmeshError('upstream_malformed', `${host} sent a "${encoding}" body, which was not asked for`);
}

/** Gives up a body. That it is cut short, which undici reports as an error of the stream, is what was wanted. */
function discard(body: Readable): void {
  body.on('error', () => undefined);
  body.destroy();
}

async function* bounded(source: Readable, host: string, maxBytes: number, deadline: Deadline) {
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes + PASSED_OVER_LIMIT_BYTES) throw answerTooLarge(host, maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw deadline.reason() ?? upstreamError(error, host);
  } finally {
    discard(source);
    deadline.dispose();
  }
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = header(value);
    if (text !== undefined) flat[name.toLowerCase()] = text;
  }
  return flat;
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
