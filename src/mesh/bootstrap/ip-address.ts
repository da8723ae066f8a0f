/** Four numbers without leading zeros. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6_CHARACTERS = /^[0-9a-f:.]+$/i;

/** The version of an IP address in its usual written form; null for anything else: no ports, zones, brackets, short forms. */
export function ipVersion(text: string): 4 | 6 | null {
  if (IPV4.test(text)) return 4;
  return text.includes(':') && IPV6_CHARACTERS.test(text) && URL.canParse(`http://[${text}]/`) ? 6 : null;
}

/** Ranges that mean something inside a network only, or nothing (IANA special-purpose registries). */
const NOT_PUBLIC_V4 =
  /^(?:0|10|127|22[4-9]|23\d|24\d|25\d)\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.168\.|^192\.0\.[02]\.|^198\.1[89]\.|^198\.51\.100\.|^203\.0\.113\./;

/** Whether an address can be that of a host in the internet. */
export function isPublicIp(text: string): boolean {
  const version = ipVersion(text);
  if (version === 4) return !NOT_PUBLIC_V4.test(text);
  if (version === null) return false;
  // as URLs write them: lower case, without leading zeros. Global unicast is 2000::/3, less documentation, Teredo and 6to4
  const written = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  return /^[23][0-9a-f]{3}:/.test(written) && !/^2001:(?:db8|0)?:|^2002:/.test(written);
}
