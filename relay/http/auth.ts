import type { Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { Rooms } from '../rooms.ts';
import type { TokenHolder, Tokens } from '../tokens/tokens.ts';
import { bearerToken } from './bearer.ts';
import type { Caller } from './gate/caller.ts';
import type { Gate } from './gate/gate.ts';
import { expired } from './gate/scope.ts';

export type { Caller } from './gate/caller.ts';

/** Decides on whose behalf a request is made. @throws `unauthorized`, `no_place` */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/** Reads tokens that others have issued. */
export interface TokenReader {
  /** Whether the token is for this reader, by its form. */
  reads(token: string): boolean;
  /** @throws `unauthorized`, `upstream_unreachable` when the issuer's keys cannot be had */
  read(token: string): Promise<TokenHolder>;
}

export interface AuthenticatorDeps {
  readonly tokens: Pick<Tokens, 'verify'>;
  /** null without an identity provider */
  readonly oauth: TokenReader | null;
  readonly rooms: Rooms;
  readonly gate: Gate;
  readonly clock: Clock;
}

/** Makes the check that stands before every request for tools over HTTP. */
export function authenticator({ tokens, oauth, rooms, gate, clock }: AuthenticatorDeps): Authenticate {
  return async (authorization) => {
    const token = bearerToken(authorization);
    const holder =
      token === undefined ? undefined : oauth?.reads(token) === true ? await oauth.read(token) : tokens.verify(token);
    if (holder === undefined) {
      throw new TabmeshError('unauthorized', token === undefined ? 'a token is missing' : 'the token is not valid', {
        hint: 'Send "Authorization: Bearer …" with the token that the relay printed, or one made in the app under Settings.',
        details: token === undefined ? {} : { invalidToken: true },
      });
    }
    const { expiresAt } = holder.scope;
    if (expiresAt !== null && clock.now() >= expiresAt) throw expired();
    const gateway = holder.room === null ? rooms.default : rooms.byId(holder.room);
    if (gateway === undefined) {
      throw new TabmeshError('no_place', 'this relay is not a member of the room that the token is for', {
        hint: 'Start it with --room and an invite of that room.',
      });
    }
    if (holder.device !== null && !gateway.admits(holder.device)) {
      throw new TabmeshError('unauthorized', 'the device that made this token is blocked in its room', {
        hint: 'An owner of the room can unblock it.',
        details: { invalidToken: true },
      });
    }
    return gate(holder, gateway);
  };
}
