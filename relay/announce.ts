import type { Relay } from './start.ts';

/** The line for scripts, `--json`. */
export function jsonLine({ urls, token, peers }: Relay): string {
  const { invite, room, peerId, multiaddrs } = peers;
  return JSON.stringify({ app: urls.app, mcp: urls.mcp, rest: urls.rest, token, invite, room, peerId, multiaddrs });
}

/** The lines for a person. */
export function humanLines({ urls, token, peers }: Relay): string[] {
  return [
    'Tabmesh relay is running. Press Ctrl-C to stop it.',
    '',
    `  App      ${urls.app}`,
    `  MCP      ${urls.mcp}`,
    `  Token    ${token}`,
    `  Invite   ${peers.invite ?? 'none: this relay is a member of no room'}`,
    '',
  ];
}

/** What keeps browsers from giving the app what it needs; undefined when all is well. */
export function insecureWarning({ urls }: Pick<Relay, 'urls'>): string | undefined {
  if (urls.secure) return undefined;
  return (
    `Warning: ${urls.app} is neither loopback nor https. Browsers give no secure context there, so the app cannot run in ` +
    'them, and tokens travel in clear. Use --tls-cert and --tls-key, or a proxy with TLS and --public-url.'
  );
}
