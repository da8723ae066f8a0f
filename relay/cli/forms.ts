/** How a command about a room is called. */
export interface CommandForm {
  /** without the flags that say which room */
  readonly usage: string;
  readonly help: string;
  /** besides those */
  readonly flags: readonly ('json' | 'place' | 'approval' | 'verbose')[];
  /** how many words may follow: least and most */
  readonly words: readonly [number, number];
}

/** The commands about a room. What they do is loaded when one is called: a relay that starts needs none of it. */
export const ROOM_COMMANDS = {
  room: {
    usage: 'room',
    help: 'shows who is in the room, and its invite where this machine knows it',
    flags: [],
    words: [0, 0],
  },
  tools: {
    usage: 'tools [NAME]',
    help: 'lists the tools of the room; with a name, all about that one',
    flags: [],
    words: [0, 1],
  },
  call: {
    usage: 'call NAME [--json ARGS] [--place PEER] [--approval HANDLE] [--verbose]',
    help: 'runs a tool and prints its answer as JSON; --json - reads the arguments from stdin',
    flags: ['json', 'place', 'approval', 'verbose'],
    words: [1, 1],
  },
  doctor: {
    usage: 'doctor [--place PEER]',
    help: 'examines the connection step by step; says what is wrong and what to do',
    flags: ['place'],
    words: [0, 0],
  },
  mcp: {
    usage: 'mcp',
    help: 'is an MCP server on stdin and stdout, for clients that start their servers themselves',
    flags: [],
    words: [0, 0],
  },
} as const satisfies Readonly<Record<string, CommandForm>>;

export type RoomCommandName = keyof typeof ROOM_COMMANDS;

/** Whether a command line begins with one of the commands about a room. */
export function isRoomCommand(name: string | undefined): name is RoomCommandName {
  return name !== undefined && Object.hasOwn(ROOM_COMMANDS, name);
}

/** What `--help` says of them, a line each. */
export function roomCommandLines(): string[] {
  return Object.values(ROOM_COMMANDS).map(({ usage, help }) => `  ${usage.padEnd(USAGE_WIDTH)}${help}`);
}

/** The longest usage and a gap. */
const USAGE_WIDTH = 74;
