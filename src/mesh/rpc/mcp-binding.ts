import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { RPC_CODES } from './json-rpc.ts';
import { isObject, MCP_REVISION } from './mcp-wire.ts';
import { refusal } from './tokens.ts';

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';

/** Revisions of the older wire, newest first: they differ in nothing that is spoken here. */
const OLDER_REVISIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Serves a request of either wire. */
type Serve = (method: string, params: Record<string, unknown>) => Promise<unknown>;

/**
 * Which of MCP's two wires a stream speaks. The first request decides: with a revision in its `_meta` the stream is
 * stateless, and every request says it again; with `initialize` it is the older wire, and what follows says nothing. A first
 * request that is neither is refused and the stream closed.
 */
export class McpBinding {
  #wire: 'stateless' | 'initialized' | null = null;

  /**
   * Serves a request of this stream, or answers it when it is the handshake itself.
   * @throws `protocol_error` (`init_required`), `version_mismatch`, `invalid_input` for `_meta` without what it must have;
   *   what `serve` throws
   */
  answer(method: string, params: Record<string, unknown>, serve: Serve): Promise<unknown> {
    if (this.#wire === null && method === 'initialize') {
      this.#wire = 'initialized';
      return initialize(params, serve);
    }
    if (this.#wire !== 'initialized') this.#checkStateless(params['_meta']);
    return serve(method, params);
  }

  #checkStateless(meta: unknown): void {
    const revision = isObject(meta) ? meta[VERSION_KEY] : undefined;
    if (revision === undefined && this.#wire === null) {
      throw refusal('init_required', 'the first message is neither `initialize` nor says its revision', {
        hint: `Send initialize first, or put "${VERSION_KEY}" into the _meta of every request.`,
      });
    }
    this.#wire = 'stateless';
    checkMeta(revision, isObject(meta) ? meta[CAPABILITIES_KEY] : undefined);
  }
}

async function initialize(params: Readonly<Record<string, unknown>>, serve: Serve): Promise<Record<string, unknown>> {
  const asked = params['protocolVersion'];
  const known = typeof asked === 'string' && OLDER_REVISIONS.includes(asked);
  const facts = await serve('server/discover', {});
  return {
    protocolVersion: known ? asked : OLDER_REVISIONS[0],
    ...(isObject(facts) ? { capabilities: facts['capabilities'], serverInfo: facts['serverInfo'] } : {}),
    transport: PROTOCOLS.mcp,
  };
}

function checkMeta(revision: unknown, capabilities: unknown): void {
  if (revision === undefined || !isObject(capabilities)) {
    throw new TabmeshError('invalid_input', `_meta lacks ${revision === undefined ? VERSION_KEY : CAPABILITIES_KEY}`, {
      details: { rpcCode: RPC_CODES.invalidParams },
    });
  }
  if (revision === MCP_REVISION) return;
  throw refusal('unsupported_version', 'this peer does not speak that revision of MCP', {
    details: { supported: [MCP_REVISION], requested: typeof revision === 'string' ? revision : null },
  });
}
