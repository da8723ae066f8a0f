import type { IncomingHttpHeaders } from 'node:http';
import type { CallCredentials } from '../../../src/contracts/tools.ts';
import { credentialsIn, META } from '../../../src/mesh/rpc/mcp-wire.ts';

/** The handle of an approval that the caller was told is pending. */
export const APPROVAL_HEADER = 'tabmesh-approval';
/** Delegation tokens, with a space between them. */
export const GRANTS_HEADER = 'tabmesh-grants';

/**
 * What a call over REST shows besides its token, as `_meta` does over MCP.
 * @throws `invalid_input`
 */
export function credentialsOf(headers: IncomingHttpHeaders): { readonly credentials?: CallCredentials } {
  const { [APPROVAL_HEADER]: approval, [GRANTS_HEADER]: grants } = headers;
  return credentialsIn({
    ...(approval === undefined ? {} : { [META.approval]: approval }),
    ...(typeof grants === 'string' ? { [META.grants]: grants.split(' ').filter((token) => token !== '') } : {}),
  });
}
