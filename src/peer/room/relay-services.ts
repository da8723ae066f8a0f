import type { TokenInfo, TokenRequest } from '../../contracts/access.ts';
import type { ClientToken, FetchTicket } from '../../contracts/relay.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { isObject } from '../../mesh/rpc/mcp-wire.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';

/** Methods that a relay's peer serves to members beside MCP. */
export const RELAY_METHODS = {
  ticket: 'tabmesh/ticket',
  token: 'tabmesh/token',
  tokens: 'tabmesh/tokens',
  revokeToken: 'tabmesh/token/revoke',
} as const;

/** A ticket is renewed this long before it expires, so that a request under way does not lose it. */
const RENEW_BEFORE_MS = 60_000;

/** What a member asks of the room's relays. */
export class RelayServices {
  readonly #mesh: Pick<RoomMesh, 'relayMembers' | 'request'>;
  readonly #now: () => number;
  readonly #pageHost: string | null;
  #ticket: FetchTicket | null = null;

  /** @param pageHost `host:port` of this page: its own relay comes first, since its `/fetch` serves no other page */
  constructor(mesh: Pick<RoomMesh, 'relayMembers' | 'request'>, now: () => number, pageHost: string | null = null) {
    this.#mesh = mesh;
    this.#now = now;
    this.#pageHost = pageHost;
  }

  /** true while a relay is a member here */
  get available(): boolean {
    return this.#relays().length > 0;
  }

  /**
   * A ticket for `/fetch`, kept until it is about to expire.
   * @param renew the one we had was refused
   * @throws `no_place` when no relay is a member
   */
  async ticket(renew: boolean, signal: AbortSignal): Promise<FetchTicket> {
    const held = this.#ticket;
    if (!renew && held !== null && held.expiresAt - RENEW_BEFORE_MS > this.#now()) return held;
    const answer = await this.#ask('fetch for this tab', RELAY_METHODS.ticket, {}, signal);
    const { ticket, url, expiresAt } = answer;
    if (typeof ticket !== 'string' || typeof url !== 'string' || typeof expiresAt !== 'number') throw broken();
    this.#ticket = { ticket, url, expiresAt };
    return this.#ticket;
  }

  /**
   * A token of this member's own for an MCP client.
   * @param relay which one; any that is a member when absent
   * @throws `no_place`, `invalid_input`, `rate_limited`
   */
  async createToken(request: TokenRequest, signal: AbortSignal, relay?: PeerId): Promise<ClientToken> {
    const answer = await this.#ask('make a token', RELAY_METHODS.token, { ...request }, signal, relay);
    const { id, token, mcp, name } = answer;
    if (typeof id !== 'string' || typeof token !== 'string' || typeof mcp !== 'string') throw broken();
    return { id, name: typeof name === 'string' ? name : request.name, token, mcp };
  }

  /** The tokens that this member has at the relay. @throws `no_place` */
  async listTokens(signal: AbortSignal, relay?: PeerId): Promise<readonly TokenInfo[]> {
    const { tokens } = await this.#ask('list the tokens', RELAY_METHODS.tokens, {}, signal, relay);
    if (!Array.isArray(tokens) || !tokens.every(isTokenInfo)) throw broken();
    return tokens;
  }

  /** Takes a token of this member's back: from now on the relay refuses it. @throws `no_place`, `not_found` */
  async revokeToken(id: string, signal: AbortSignal, relay?: PeerId): Promise<void> {
    await this.#ask('take a token back', RELAY_METHODS.revokeToken, { id }, signal, relay);
  }

  #relays(): readonly PeerId[] {
    const isOwn = ({ host }: { readonly host: string | null }) => Number(host !== null && host === this.#pageHost);
    const relays = this.#mesh.relayMembers().toSorted((a, b) => isOwn(b) - isOwn(a));
    return relays.map(({ peer }) => peer);
  }

  /** Asks one relay, or the first that can be reached. A request that may have arrived is not made at another. */
  async #ask(
    what: string,
    method: string,
    params: Record<string, unknown>,
    signal: AbortSignal,
    only?: PeerId,
  ): Promise<Record<string, unknown>> {
    let failure = noRelayMember(what);
    for (const relay of only === undefined ? this.#relays() : [only]) {
      try {
        const answer = await this.#mesh.request(relay, method, params, { signal });
        if (isObject(answer)) return answer;
        throw broken();
      } catch (thrown) {
        failure = toTabmeshError(thrown);
        if (failure.code !== 'peer_unreachable' || failure.details['sent'] !== false) throw failure;
      }
    }
    throw failure;
  }
}

function broken(): TabmeshError {
  return new TabmeshError('protocol_error', 'the relay answered something else than was asked for');
}

/** As much as a list needs to be shown. */
function isTokenInfo(value: unknown): value is TokenInfo {
  if (!isObject(value)) return false;
  const { id, name, classes, tools, createdAt } = value;
  return (
    typeof id === 'string' &&
    typeof name === 'string' &&
    Array.isArray(classes) &&
    (tools === null || Array.isArray(tools)) &&
    typeof createdAt === 'number'
  );
}

/** The one way in which a caller learns that there is nobody to ask for a relay's service. */
function noRelayMember(what: string): TabmeshError {
  return new TabmeshError('no_place', `no relay that is a member of this room is here now, so nobody can ${what}`, {
    hint: 'If the room has one, start it again. Else use a room whose relay is a member, such as the one a relay prints at its start.',
    retryable: true,
  });
}
