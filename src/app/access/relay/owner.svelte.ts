import { toTabmeshError } from '../../../lib/errors.ts';
import { RelayApi } from './relay-api.ts';

/**
 * The owner's access to the relay of this page. In memory only, on purpose: the token may do anything to the relay, so it
 * is gone when the page is closed or loaded anew.
 */
let api = $state.raw<RelayApi | null>(null);

/** null until the owner's token was given; reactive */
export function ownerApi(): RelayApi | null {
  return api;
}

/** What fits a header, copied with space around it or with the word before it. */
const TOKEN = /^(?:Bearer\s+)?([\x21-\x7e]+)$/i;

/**
 * Tries a token at the relay, and keeps it when it is the owner's.
 * @returns what is wrong with it, for its field; null when it is kept
 * @throws `peer_unreachable`, `no_place` and whatever else is not the token's fault
 */
export async function enterOwnerToken(text: string, signal: AbortSignal): Promise<string | null> {
  const token = TOKEN.exec(text.trim())?.[1];
  if (token === undefined) {
    return 'A token is one word that begins with tm_. The relay prints it when it starts, and keeps it in the file owner-token of its data folder.';
  }
  const tried = new RelayApi(token, location.origin);
  try {
    // what only the owner's token may ask
    await tried.definitions(signal);
  } catch (thrown) {
    const error = toTabmeshError(thrown);
    if (error.code === 'unauthorized') {
      return 'This relay does not know the token, or it was revoked. Look in the file owner-token of its data folder.';
    }
    if (error.code === 'forbidden') {
      return 'This token is good, but it is not the owner’s. The relay prints the owner’s token when it starts.';
    }
    throw error;
  }
  api = tried;
  return null;
}

/** Forgets the token. */
export function forgetOwner(): void {
  api = null;
}
