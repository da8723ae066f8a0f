import type { Json } from '../../contracts/workflow.ts';
import { ipVersion, isPublicIp } from '../bootstrap/ip-address.ts';

/** What stands in the place of what must not be told. */
const HIDDEN = '[hidden]';
/** Shorter ones would blot out ordinary words. */
const SHORTEST_SECRET = 6;

/** An invite's fragment, whatever is in front of it. */
const INVITE = /#?\bjoin=[\w-]+/g;
/** What follows these words in messages and URLs is for those who were meant to have it. */
const SCHEME = /\b(bearer|basic)\s+\S+/gi;
const NAMED =
  /\b(authorization|token|ticket|secret|password|credential|access[_-]?key|key)(?:\s*[=:]\s*|\s+(?=\S*\d))["']?[^\s"'&,;)]+/gi;
/** `user:password@` of a URL, and its query. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:(?:\/\/)?)[^\s/@]+@/gi;
const QUERY = /(\b[a-z][a-z0-9+.-]*:[^\s?#]+)\?[^\s)"']*/gi;
/** As long as 16 bytes in base64 at least: keys, tokens, hashes. */
const OPAQUE = /[A-Za-z0-9_+-]{20,}={0,2}/g;
/** Peer and device ids are what a report is about. */
const PEER_ID = /12D3KooW[1-9A-HJ-NP-Za-km-z]{44}/g;
/** Names that people and programmers make up: words in either case, joined, perhaps with a number at the end. */
const WORDS = /^(?:[A-Z]?[a-z]{2,})+\d{0,4}(?:[-_+](?:(?:[A-Z]?[a-z]{2,})+\d{0,4}|\d{1,4}))*$/;
/** Anything that may be an IP address; {@link ipVersion} decides. */
const ADDRESS = /[0-9a-f:.]*[:.][0-9a-f:.]*[0-9a-f]/gi;

/**
 * Makes what takes out of a text whatever only those concerned may know: the secrets given, what looks like one, and the
 * last part of public IP addresses. Errors of libraries can quote anything, so every text of a report goes through it.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  // the longest first: one may be part of another
  const known = secrets.filter((one) => one.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, HIDDEN);
    return clean
      .replace(INVITE, HIDDEN)
      .replace(USER_INFO, `$1${HIDDEN}@`)
      .replace(QUERY, `$1?${HIDDEN}`)
      .replace(SCHEME, `$1 ${HIDDEN}`)
      .replace(NAMED, `$1 ${HIDDEN}`)
      .replace(OPAQUE, hideOpaque)
      .replace(ADDRESS, shortenAddress);
  };
}

/** The same of every text in a JSON value. Keys are ours, and stay. */
export function redactJson(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => redactJson(item, redact));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactJson(item, redact)]));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function hideOpaque(text: string): string {
  const rest = text.replace(PEER_ID, '');
  return rest === '' || WORDS.test(rest) ? text : HIDDEN;
}

function shortenAddress(text: string): string {
  // `1.2.3.4:5678`, and what ends a sentence
  const [address = '', port = ''] = ipVersion(text) === 6 ? [text] : text.split(/(?=:\d+$)/);
  const version = ipVersion(address);
  if (version === null || !isPublicIp(address)) return text;
  if (version === 4) return `${address.replace(/\d+$/, 'x')}${port}`;
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')[0]?.split(':') ?? [];
  // the first three groups are what a provider gives to a customer (RFC 6177)
  return `${groups.slice(0, 3).join(':')}:x`;
}
