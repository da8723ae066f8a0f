/** The mark of an invite in a fragment. */
const INVITE_PREFIX = '#join=';

/**
 * Takes the invite out of the address bar, so that its secret is in no history entry, screenshot or copied address.
 * @returns the fragment, or null when the address carries no invite
 */
export function takeInvite(): string | null {
  const { hash, pathname, search } = globalThis.location;
  if (!hash.startsWith(INVITE_PREFIX)) return null;
  history.replaceState(history.state, '', pathname + search);
  return hash;
}
