import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { RunCommand } from './command.ts';
import { StdioBridge } from './stdio-bridge.ts';

/** `tabmesh mcp`: the room as an MCP server on standard input and output. */
export const runMcp: RunCommand = async ({ room, log, stop }) => {
  await new StdioBridge(new StdioServerTransport(), room, log).run(stop);
  return 0;
};
