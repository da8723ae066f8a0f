import { TabmeshError } from '../../src/lib/errors.ts';
import type { OAuthConfig } from '../oauth/config.ts';
import { badOption } from './bad-option.ts';
import { isLoopbackHost } from './hosts.ts';
import type { OptionName } from './options.ts';

/**
 * Reads `--oauth-issuer`, `--oauth-jwks` and `--oauth-audience`.
 * @returns null when none is given
 * @throws `invalid_input`, with a message of one line
 */
export function parseOAuth(
  issuer: string | undefined,
  jwks: string | undefined,
  audience: string | undefined,
): OAuthConfig | null {
  if (issuer === undefined && jwks === undefined && audience === undefined) return null;
  if (issuer === undefined || jwks === undefined) {
    throw new TabmeshError('invalid_input', '--oauth-issuer and --oauth-jwks go together: give both or neither');
  }
  safeUrl('oauth-issuer', issuer);
  return { issuer, audience: audience ?? null, jwks: safeUrl('oauth-jwks', jwks) };
}

/**
 * Reads `--cors-origin`.
 * @throws `invalid_input` for what is not exactly an origin as browsers write it
 */
export function parseOrigins(values: readonly string[]): readonly string[] {
  for (const value of values) {
    const url = URL.parse(value);
    if (url?.origin !== value || !['http:', 'https:'].includes(url.protocol)) {
      throw badOption('cors-origin', value, 'an origin such as https://app.example.org');
    }
  }
  return [...new Set(values)];
}

/** In clear only on this machine: who can change the keys on their way can make any token. */
function safeUrl(name: OptionName, value: string): URL {
  const url = URL.parse(value);
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (url === null || !safe || url.username !== '' || url.hash !== '') throw badOption(name, value, 'an https URL');
  return url;
}
