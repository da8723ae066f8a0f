import { RELAY_KEY_TEXT } from '../../contracts/relay.ts';

/** What is wrong with a text as a relay's access key; null when nothing is. */
export function wrongRelayKey(text: string): string | null {
  const key = text.trim();
  if (key === '') return 'The key is needed: ask the owner of the relay.';
  if (RELAY_KEY_TEXT.test(key)) return null;
  if (/#?join=/.test(key)) return 'That is an invite: open it instead, it brings the key along.';
  return `A key has 22 letters, digits, - and _; this has ${String(key.length)} characters.`;
}
