import { resolve } from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { TabmeshError } from '../../src/lib/errors.ts';
import { DEFAULT_DATA, environmentName } from '../config/options.ts';

/** Taken by every command that needs a room. */
const PLACE_FLAGS = {
  data: { type: 'string' },
  relay: { type: 'string' },
  token: { type: 'string' },
  invite: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/** Taken by one command or another. */
const OWN_FLAGS = {
  json: { type: 'string' },
  place: { type: 'string' },
  approval: { type: 'string' },
  verbose: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

type OwnFlag = keyof typeof OWN_FLAGS;

/** Which room a command is about. */
export type RoomChoice =
  | { readonly kind: 'running'; readonly dataDir: string }
  | { readonly kind: 'relay'; readonly url: URL; readonly token: string }
  | { readonly kind: 'invite'; readonly invite: string; readonly dataDir: string };

/** A command line, read. */
export interface Flags {
  readonly room: RoomChoice;
  readonly words: readonly string[];
  readonly json: string | undefined;
  readonly place: string | undefined;
  readonly approval: string | undefined;
  readonly verbose: boolean;
}

/** What they mean, for `--help`. */
export const ROOM_FLAGS_HELP = [
  '  --data DIR       the relay that runs with this data folder (.tabmesh), or data of the peer that --invite starts',
  '  --relay URL      a relay elsewhere, with --token or TABMESH_TOKEN',
  '  --invite LINK    join the room of this invite with a peer of our own',
].join('\n');

/** Data of the peer that joins by `--invite`: another device than a relay on this machine. */
const GUEST_DATA = '.tabmesh-guest';

/**
 * Reads what follows a command.
 * @param usage for the message when it is not as it has to be
 * @param own flags of this command beside those that say which room
 * @throws `invalid_input`
 */
export function readFlags(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  usage: string,
  own: readonly OwnFlag[] = [],
): Flags {
  const bad = (message: string, cause?: unknown) =>
    new TabmeshError('invalid_input', message, { hint: `The command is: tabmesh ${usage}`, cause });
  const read = () => {
    try {
      return parseArgs({
        args: [...args],
        options: { ...PLACE_FLAGS, ...OWN_FLAGS },
        strict: true,
        allowPositionals: true,
      });
    } catch (cause) {
      throw bad(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
  const { values, positionals } = read();
  for (const name of Object.keys(OWN_FLAGS) as OwnFlag[]) {
    if (values[name] !== undefined && !own.includes(name)) throw bad(`--${name} means nothing here`);
  }
  const { json, place, approval, verbose = false } = values;
  const given = (name: keyof typeof PLACE_FLAGS) => values[name] ?? env[environmentName(name)];
  const chosen = { relay: given('relay'), invite: given('invite'), data: given('data') };
  if (values.relay !== undefined && values.invite !== undefined)
    throw bad('--relay and --invite are two ways; choose one');
  const choose = (): RoomChoice => {
    // what is typed goes before what the environment says
    if (chosen.invite !== undefined && values.relay === undefined) {
      return { kind: 'invite', invite: chosen.invite, dataDir: resolve(chosen.data ?? GUEST_DATA) };
    }
    if (chosen.relay === undefined) return { kind: 'running', dataDir: resolve(chosen.data ?? DEFAULT_DATA) };
    const token = given('token');
    if (token === undefined) throw bad(`--relay needs a token: --token, or better ${environmentName('token')}`);
    if (!URL.canParse(chosen.relay)) throw bad(`--relay: "${chosen.relay}" is no URL`);
    return { kind: 'relay', url: new URL(chosen.relay), token };
  };
  return { room: choose(), words: positionals, json, place, approval, verbose };
}
