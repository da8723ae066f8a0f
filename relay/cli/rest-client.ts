import type { MeshPeer } from '../../src/contracts/mesh.ts';
import type { Place, RouteExplanation, ToolMetadata, ToolProgress } from '../../src/contracts/tools.ts';
import { isWireError, TabmeshError } from '../../src/lib/errors.ts';
import type { RoomAccess } from './room-access.ts';
import { readEvents } from './server-sent-events.ts';

/** A tool as `GET /api/tools` shows it. */
export interface ListedTool extends ToolMetadata {
  readonly places: readonly Place[];
}

/** The answer of `POST /api/tools/{name}`. */
export interface Answered {
  readonly result: unknown;
  readonly route: RouteExplanation;
  readonly tookMs: number;
}

/** The relay's REST interface, as far as the command line needs it. Each throws what the relay tells, or `upstream_unreachable`. */
export interface RestClient {
  tools(signal: AbortSignal): Promise<readonly ListedTool[]>;
  peers(signal: AbortSignal): Promise<readonly MeshPeer[]>;
  call(
    name: string,
    args: unknown,
    options: {
      readonly place?: string | undefined;
      /** handle of a call that waited for somebody's approval */
      readonly approval?: string | undefined;
      readonly signal: AbortSignal;
      readonly onProgress?: (progress: ToolProgress) => void;
    },
  ): Promise<Answered>;
}

interface Ask extends Omit<RequestInit, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the {@link RestClient} of a room. */
export function createRestClient({ api, token }: Pick<RoomAccess, 'api' | 'token'>): RestClient {
  const ask = async (path: string, { headers, ...init }: Ask): Promise<Response> => {
    const url = new URL(path, api);
    const response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', ...headers, authorization: `Bearer ${token}` },
    }).catch((cause: unknown) => {
      init.signal?.throwIfAborted();
      throw unreachable(url, cause);
    });
    if (!response.ok) throw asError(await response.json().catch(() => null), response.status);
    return response;
  };
  const read = async (path: string, signal: AbortSignal): Promise<unknown> =>
    await (await ask(path, { signal })).json();
  return {
    tools: async (signal) => ((await read('tools', signal)) as { readonly tools: readonly ListedTool[] }).tools,
    peers: async (signal) => ((await read('peers', signal)) as { readonly peers: readonly MeshPeer[] }).peers,
    async call(name, args, { place, approval, signal, onProgress }) {
      const query = place === undefined ? '' : `?place=${encodeURIComponent(place)}`;
      const response = await ask(`tools/${encodeURIComponent(name)}${query}`, {
        method: 'POST',
        signal,
        headers: {
          accept: 'text/event-stream',
          'content-type': 'application/json',
          ...(approval === undefined ? {} : { 'tabmesh-approval': approval }),
        },
        body: JSON.stringify(args),
      });
      for await (const { event, data } of readEvents(response, signal)) {
        const told: unknown = JSON.parse(data);
        if (event === 'progress') onProgress?.(told as ToolProgress);
        else if (event === 'result') return told as Answered;
        else if (event === 'error') throw asError(told, response.status);
      }
      throw new TabmeshError('upstream_unreachable', 'the relay has ended the call without an answer', {
        hint: 'See whether it still runs. The call may have been carried out.',
      });
    },
  };
}

function asError(body: unknown, status: number): TabmeshError {
  const wire = (body as { readonly error?: unknown } | null)?.error;
  if (isWireError(wire)) return TabmeshError.fromWire(wire);
  return new TabmeshError('upstream_error', `the relay answers with status ${String(status)}`);
}

/** The error of a relay that nobody answers for. */
function unreachable({ origin }: URL, cause: unknown): TabmeshError {
  return new TabmeshError('upstream_unreachable', `no relay answers at ${origin}`, {
    hint: 'Start it, or correct the address. Behind a certificate of your own, set NODE_EXTRA_CA_CERTS.',
    retryable: true,
    cause,
  });
}
