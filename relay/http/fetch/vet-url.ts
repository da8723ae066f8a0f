import { TabmeshError } from '../../../src/lib/errors.ts';
import { UPSTREAMS } from '../../config/upstreams.ts';

const ALLOWED: ReadonlySet<string> = new Set(Object.values(UPSTREAMS));
/** Longer than any query of ours; servers refuse longer ones anyway. */
const MAX_URL_LENGTH = 8192;

/**
 * Parses a URL once, as every later step will see it, and admits only the allow-listed origins: https, default port, a
 * name of the list (so no address in whatever spelling), no credentials.
 * @param base of a redirect: the URL that answered with it
 * @throws `invalid_input` (of a redirect `upstream_malformed`) when it is no URL, `upstream_blocked`
 */
export function vetUrl(text: string, base?: URL): URL {
  if (text.length > MAX_URL_LENGTH) throw new TabmeshError('invalid_input', 'the URL to fetch is too long');
  const url = URL.parse(text, base?.href);
  if (url === null) {
    throw base === undefined
      ? new TabmeshError('invalid_input', 'the URL to fetch cannot be read')
      : new TabmeshError('upstream_malformed', `${base.host} redirects to something that is no URL`);
  }
  if (url.username !== '' || url.password !== '') throw blocked('a URL with credentials in it');
  if (!ALLOWED.has(url.origin)) throw blocked(url.host === '' ? url.protocol : url.origin);
  url.hash = '';
  return url;
}

/** The refusal of a request that may not leave this relay. */
export function blocked(what: string): TabmeshError {
  return new TabmeshError('upstream_blocked', `this relay does not fetch from ${what}`, {
    hint: 'It fetches only from the research services on its list.',
  });
}
