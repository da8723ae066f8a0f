import type { ClientToken } from '../../../contracts/relay.ts';

/** How an AI client is told of the room's MCP endpoint. */
export interface Snippet {
  readonly client: 'claude-code' | 'claude' | 'vscode' | 'cursor' | 'stdio';
  readonly label: string;
  /** where the text goes */
  readonly where: string;
  readonly text: string;
}

const NAME = 'tabmesh';
/** What the person puts in the place of this: only they know where the program lies. */
const FOLDER = 'PATH';

/** Ready-to-paste configuration for each client that we know. */
export function snippets(token: Pick<ClientToken, 'token' | 'mcp'>): readonly Snippet[] {
  const bearer = `Bearer ${token.token}`;
  const headers = { Authorization: bearer };
  const relay = new URL('.', token.mcp).href;
  // by the environment: arguments of a program can be read by everybody on the machine
  const program = {
    command: 'node',
    args: [`${FOLDER}/bin/tabmesh.mjs`, 'mcp', '--relay', relay],
    env: { TABMESH_TOKEN: token.token },
  };
  return [
    {
      client: 'claude-code',
      label: 'Claude Code',
      where: 'Run this in a terminal:',
      text: `claude mcp add --transport http ${NAME} "${token.mcp}" --header "Authorization: ${bearer}"`,
    },
    {
      client: 'claude',
      label: 'Claude Desktop',
      // its configuration file starts local programs only
      where: `Put this into claude_desktop_config.json (Settings → Developer → Edit Config); ${FOLDER} is the folder of Tabmesh on this machine:`,
      text: json({ mcpServers: { [NAME]: program } }),
    },
    {
      client: 'vscode',
      label: 'VS Code',
      where: 'Put this into .vscode/mcp.json:',
      text: json({ servers: { [NAME]: { type: 'http', url: token.mcp, headers } } }),
    },
    {
      client: 'cursor',
      label: 'Cursor',
      where: 'Put this into ~/.cursor/mcp.json:',
      text: json({ mcpServers: { [NAME]: { url: token.mcp, headers } } }),
    },
    {
      client: 'stdio',
      label: 'Another client, over stdio',
      where: `For a client that starts a program; ${FOLDER} is the folder of Tabmesh on this machine:`,
      text: `TABMESH_TOKEN=${token.token} node ${FOLDER}/bin/tabmesh.mjs mcp --relay "${relay}"`,
    },
  ];
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
