import type { ClientToken } from '../../contracts/relay.ts';

/** How an AI client is told of the room's MCP endpoint. */
export interface Snippet {
  readonly client: 'claude' | 'vscode' | 'cursor';
  readonly label: string;
  /** where the text goes */
  readonly file: string;
  readonly text: string;
}

const NAME = 'tabmesh';

/** Ready-to-paste configuration for each client that we know. */
export function snippets(token: ClientToken): readonly Snippet[] {
  const bearer = `Bearer ${token.token}`;
  const headers = { Authorization: bearer };
  return [
    {
      client: 'claude',
      label: 'Claude Desktop',
      file: 'claude_desktop_config.json (Settings → Developer → Edit Config)',
      // its configuration file starts local programs only: mcp-remote passes on to the endpoint. The header comes from
      // the environment because spaces in arguments get lost on Windows.
      text: json({
        mcpServers: {
          [NAME]: {
            command: 'npx',
            args: ['-y', 'mcp-remote', token.mcp, '--header', 'Authorization:${TABMESH_AUTH}'],
            env: { TABMESH_AUTH: bearer },
          },
        },
      }),
    },
    {
      client: 'vscode',
      label: 'VS Code',
      file: '.vscode/mcp.json',
      text: json({ servers: { [NAME]: { type: 'http', url: token.mcp, headers } } }),
    },
    {
      client: 'cursor',
      label: 'Cursor',
      file: '~/.cursor/mcp.json',
      text: json({ mcpServers: { [NAME]: { url: token.mcp, headers } } }),
    },
  ];
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
