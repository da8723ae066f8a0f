import { MAX_ICE_SERVERS, TURN_URL, type IceServer } from '../../../contracts/relay.ts';
import { linesOf } from './stun-urls.ts';

/** What a person types in for one TURN server. */
export interface TurnFields {
  /** one address a line */
  readonly urls: string;
  readonly username: string;
  readonly credential: string;
}

/** What is wrong with each field; null where nothing is. */
export type TurnErrors = Readonly<Record<keyof TurnFields, string | null>>;

/** Reads the fields of a TURN server. @returns the server, or what is wrong */
export function readTurnServer(fields: TurnFields): { readonly server: IceServer } | { readonly wrong: TurnErrors } {
  const urls = [...new Set(linesOf(fields.urls))];
  const username = fields.username.trim();
  // a password may begin or end with a blank
  const { credential } = fields;
  const wrong: TurnErrors = {
    urls: wrongUrls(urls),
    username: username === '' ? 'A TURN server lets nobody in without a user name.' : null,
    credential: credential === '' ? 'A TURN server lets nobody in without a password.' : null,
  };
  return Object.values(wrong).some((error) => error !== null) ? { wrong } : { server: { urls, username, credential } };
}

function wrongUrls(urls: readonly string[]): string | null {
  if (urls.length === 0) return 'An address is needed, such as turn:turn.example.org:3478';
  const bad = urls.find((url) => !TURN_URL.test(url));
  if (bad !== undefined) return `“${bad}” is not an address such as turn:turn.example.org:3478`;
  return urls.length > MAX_ICE_SERVERS ? `A server has at most ${String(MAX_ICE_SERVERS)} addresses.` : null;
}
