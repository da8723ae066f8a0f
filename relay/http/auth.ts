import type { Principal } from '../../src/contracts/tools.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { RoomGateway, Rooms } from '../rooms.ts';
import type { Tokens } from '../tokens.ts';
import { bearerToken } from './bearer.ts';

/** A caller whose token was good, in the room that the token belongs to. */
export interface Caller {
  readonly principal: Extract<Principal, { readonly kind: 'token' }>;
  readonly gateway: RoomGateway;
}

/** Decides on whose behalf a request is made. @throws `unauthorized`, `no_place` */
export type Authenticate = (authorization: string | undefined) => Caller;

/** Makes the check that stands before every tool call over HTTP. */
export function authenticator(tokens: Pick<Tokens, 'verify'>, rooms: Rooms): Authenticate {
  return (authorization) => {
    const token = bearerToken(authorization);
    const holder = token === undefined ? undefined : tokens.verify(token);
    if (holder === undefined) {
      throw new TabmeshError('unauthorized', token === undefined ? 'a token is missing' : 'the token is not valid', {
        hint: 'Send "Authorization: Bearer …" with the token that the relay printed, or one made in the app under Settings.',
      });
    }
    const gateway = holder.room === null ? rooms.default : rooms.byId(holder.room);
    if (gateway === undefined) {
      throw new TabmeshError('no_place', 'this relay is not a member of the room that the token is for', {
        hint: 'Start it with --room and an invite of that room.',
      });
    }
    return { principal: { kind: 'token', tokenId: holder.id, name: holder.name, relay: gateway.self }, gateway };
  };
}
