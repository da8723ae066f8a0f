import { MAX_ICE_SERVERS, STUN_URL } from '../../../contracts/relay.ts';

/** Reads one address of a STUN server a line. @returns the addresses, each once, or what is wrong */
export function readStunUrls(text: string): { readonly urls: readonly string[] } | { readonly wrong: string } {
  const urls = [...new Set(linesOf(text))];
  const bad = urls.find((line) => !STUN_URL.test(line));
  if (bad !== undefined) {
    const wrong = /^turns?:/i.test(bad)
      ? `“${bad}” is a TURN server: add it below, with its user name and password.`
      : `“${bad}” is not an address such as stun:stun.example.org:3478`;
    return { wrong };
  }
  if (urls.length > MAX_ICE_SERVERS) return { wrong: `Browsers use ${String(MAX_ICE_SERVERS)} servers at most.` };
  return { urls };
}

/** The lines of a text that hold something, without the blanks around it. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
