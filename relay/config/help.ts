import { roomCommandLines } from '../cli/forms.ts';
import { UPSTREAM_NAMES } from './upstreams.ts';
import { environmentName, OPTION_ROWS, type OptionRow } from './options.ts';

const INDENT = 34;

/** What `--help` prints. */
export function helpText(): string {
  const rows: readonly OptionRow[] = OPTION_ROWS;
  const lines = rows.map(({ name, value, help }) => {
    const flag = `  --${name}${value === undefined ? '' : ` ${value}`}`;
    return `${flag.padEnd(INDENT)}${help}`;
  });
  return [
    'Usage: npm start -- [options], or: npx tabmesh [start] [options]',
    '',
    'Starts a Tabmesh relay: it serves the app, introduces the peers of a room, and answers MCP and REST clients.',
    '',
    ...lines,
    '',
    'node relay/main.ts access list | create NAME | revoke NAME  shows and changes who may use the relay.',
    'node relay/main.ts token list | create NAME | revoke ID     the same for the tokens of MCP and REST clients.',
    '',
    'Commands about a room, of the relay that runs here, of another (--relay URL), or joined by --invite LINK:',
    ...roomCommandLines(),
    '',
    `Every option is also an environment variable, such as ${environmentName('public-url')}; the command line wins.`,
    `Services for --upstream: ${UPSTREAM_NAMES.join(', ')}.`,
    '',
  ].join('\n');
}
