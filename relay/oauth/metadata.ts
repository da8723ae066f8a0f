import type { FastifyInstance } from 'fastify';
import type { OAuthConfig } from './config.ts';
import { OAUTH_SCOPES } from './scopes.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Where the metadata of a resource is: the well-known path is put before its own (RFC 9728 §3.1). */
export function resourceMetadataUrl(resource: string): string {
  const url = new URL(resource);
  return new URL(WELL_KNOWN + url.pathname, url).href;
}

/**
 * OAuth 2.0 protected resource metadata (RFC 9728) of the MCP endpoint: which authorization server gives tokens for it, and
 * for what. At its own path and, as some clients ask, at the host's.
 * @param resource URL of the MCP endpoint
 */
export function protectedResource(app: FastifyInstance, resource: string, { issuer }: OAuthConfig): void {
  const metadata = {
    // clients refuse any other than the one they asked about (§3.3), whatever tokens name as their audience
    resource,
    authorization_servers: [issuer],
    scopes_supported: OAUTH_SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Tabmesh',
    resource_documentation: new URL('docs', resource).href,
  };
  for (const path of [WELL_KNOWN, new URL(resourceMetadataUrl(resource)).pathname]) {
    app.get(path, (_request, reply) => reply.header('cache-control', 'max-age=300').send(metadata));
  }
}
