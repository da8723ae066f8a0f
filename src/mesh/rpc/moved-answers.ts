import { randomId } from '../../lib/ids.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { RpcResponse } from './json-rpc.ts';
import { isObject, META } from './mcp-wire.ts';
import type { RpcSession } from './session.ts';

/** What a peer delivers an answer with, over another link than the one it was asked on. */
export const ANSWER_METHOD = 'tabmesh/answer';

interface Expected {
  readonly peer: PeerId;
  readonly session: RpcSession;
  /** the request's, once it has one */
  id: number | null;
}

/**
 * Our requests over relayed links, by a name that the answer may be sent to when it comes another way: an answer that is too
 * large for a relayed link moves to a direct one.
 */
export class MovedAnswers {
  readonly #expected = new Map<string, Expected>();

  /** Makes a request that may be answered another way. @throws as `RpcSession.request` */
  async ask(
    peer: PeerId,
    session: RpcSession,
    params: Record<string, unknown>,
    request: (params: Record<string, unknown>, onId: (id: number) => void) => Promise<unknown>,
  ): Promise<unknown> {
    const name = randomId();
    const expected: Expected = { peer, session, id: null };
    const meta = isObject(params['_meta']) ? params['_meta'] : {};
    this.#expected.set(name, expected);
    try {
      return await request({ ...params, _meta: { ...meta, [META.returnTo]: name } }, (id) => {
        expected.id = id;
      });
    } finally {
      this.#expected.delete(name);
    }
  }

  /** Takes an answer that `peer` delivers. One that nobody waits for is let go: its request has ended meanwhile. */
  deliver(peer: PeerId, params: Readonly<Record<string, unknown>>): void {
    const { to, response } = params;
    const expected = typeof to === 'string' ? this.#expected.get(to) : undefined;
    if (expected?.peer !== peer || expected.id === null || !isObject(response)) return;
    const { result, error } = response;
    const id = expected.id;
    expected.session.answered(
      isRpcError(error) ? { jsonrpc: '2.0', id, error } : { jsonrpc: '2.0', id, result: result ?? null },
    );
  }
}

/** The name that a request's answer may be sent to. */
export function returnName(params: Readonly<Record<string, unknown>>): string | null {
  const meta = params['_meta'];
  const name = isObject(meta) ? meta[META.returnTo] : undefined;
  return typeof name === 'string' ? name : null;
}

function isRpcError(value: unknown): value is Extract<RpcResponse, { error: unknown }>['error'] {
  return isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string';
}
