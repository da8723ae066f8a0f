import { createHmac } from 'node:crypto';
import type { IceServer } from '../src/contracts/relay.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { PeerId } from '../src/lib/ids.ts';
import type { AccessGrant } from '../src/mesh/access/present.ts';

/** Long enough for a call that has begun, short enough that a leaked credential soon dies. */
export const TURN_CREDENTIAL_MS = 60 * 60 * 1000;

/** The STUN and TURN servers that a relay tells its peers of. */
export interface IceConfig {
  readonly stun: readonly string[];
  readonly turn: readonly string[];
  /** shared with the TURN servers; null when there are none */
  readonly turnSecret: string | null;
}

/**
 * What a peer gets that has presented a key: credentials by coturn's `use-auth-secret` convention (the expired draft
 * `draft-uberti-behave-turn-rest-00`): the name says until when, and the password is a MAC of the name.
 */
export function iceGrant({ stun, turn, turnSecret }: IceConfig, peer: PeerId, clock: Clock): AccessGrant {
  const servers: IceServer[] = stun.length === 0 ? [] : [{ urls: stun }];
  if (turn.length === 0 || turnSecret === null) return { ice: servers, iceTtlMs: null };
  const username = `${String(Math.floor((clock.now() + TURN_CREDENTIAL_MS) / 1000))}:${peer}`;
  const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
  return { ice: [...servers, { urls: turn, username, credential }], iceTtlMs: TURN_CREDENTIAL_MS };
}
