import type { TokenInfo, TokenRequest } from '../../../contracts/access.ts';
import type { AuditQuery, AuditVerdict } from '../../../contracts/audit.ts';
import type { ToolDefinitions } from '../../../contracts/definitions.ts';
import type { ClientToken } from '../../../contracts/relay.ts';
import { isWireError, TabmeshError, toTabmeshError } from '../../../lib/errors.ts';
import type { AuditPage, AuditSource } from '../audit/audit-source.ts';

/** Checking a chain of a quarter of a million entries takes some seconds; whoever takes longer is in trouble, ms. */
const TIMEOUT_MS = 60_000;

/** What the relay that serves this page lets the person who runs it see and change, over its REST interface. */
export class RelayApi implements AuditSource {
  readonly #token: string;
  readonly #base: string;

  /**
   * @param token the owner's
   * @param base origin of the relay
   */
  constructor(token: string, base: string) {
    this.#token = token;
    this.#base = base;
  }

  /** all tokens of the relay, oldest first */
  async tokens(signal: AbortSignal): Promise<readonly TokenInfo[]> {
    const { tokens } = await this.#ask<{ readonly tokens: readonly TokenInfo[] }>('GET', '/api/tokens', signal);
    return tokens;
  }

  /** @throws `invalid_input` with the fields in `details.issues`, `rate_limited` */
  createToken(request: TokenRequest): Promise<ClientToken> {
    return this.#ask('POST', '/api/tokens', null, request);
  }

  async revokeToken(id: string): Promise<void> {
    await this.#ask('DELETE', `/api/tokens/${encodeURIComponent(id)}`, null);
  }

  audit(query: AuditQuery, signal: AbortSignal): Promise<AuditPage> {
    const given = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return this.#ask('GET', `/api/audit?${new URLSearchParams(given).toString()}`, signal);
  }

  verifyAudit(signal: AbortSignal): Promise<AuditVerdict> {
    return this.#ask('GET', '/api/audit/verification', signal);
  }

  definitions(signal: AbortSignal): Promise<ToolDefinitions> {
    return this.#ask('GET', '/api/tool-definitions', signal);
  }

  /**
   * Accepts a changed definition, or notes that it was refused.
   * @param offered its hash, as it was shown
   * @throws `conflict` when it has changed again
   */
  async decide(decision: 'accept' | 'refuse', tool: string, offered: string): Promise<void> {
    await this.#ask('POST', `/api/tool-definitions/${decision}`, null, { tool, offered });
  }

  /** Takes a pin back: the definition that is seen next is pinned, whatever it is. @throws `not_found` */
  async forgetPin(tool: string): Promise<void> {
    await this.#ask('POST', '/api/tool-definitions/forget', null, { tool });
  }

  async #ask<T>(method: string, path: string, signal: AbortSignal | null, body?: unknown): Promise<T> {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        cache: 'no-store',
        signal: signal === null ? limit : AbortSignal.any([signal, limit]),
      });
    } catch (thrown) {
      if (signal?.aborted === true || limit.aborted) throw toTabmeshError(thrown);
      throw new TabmeshError('peer_unreachable', 'the relay of this page does not answer', {
        hint: 'Look whether it runs, and whether this device is online.',
        retryable: true,
        cause: thrown,
      });
    }
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
    throw await failureOf(response);
  }
}

/** The error in a problem document (RFC 9457), or one that tells the status when something else answered. */
async function failureOf(response: Response): Promise<TabmeshError> {
  const problem: unknown = await response.json().catch(() => null);
  const error = (problem as { readonly error?: unknown } | null)?.error;
  if (isWireError(error)) return TabmeshError.fromWire(error);
  return new TabmeshError('protocol_error', `the relay of this page answered with status ${String(response.status)}`, {
    hint: 'Something between this browser and the relay may have answered instead.',
  });
}
