/** Addresses that RTCPeerConnection takes (RFC 7064, RFC 7065): scheme, host, optional port and transport. */
const ICE_URL = /^(?:stuns?:[^\s/?#@:]+(?::\d{1,5})?|turns?:[^\s/?#@:]+(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?)$/i;

/** Reads one address a line. @returns the addresses, or the first line that is none */
export function readStunUrls(text: string): { readonly urls: readonly string[] } | { readonly bad: string } {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const bad = lines.find((line) => !ICE_URL.test(line));
  return bad === undefined ? { urls: [...new Set(lines)] } : { bad };
}
