import type { RunCommand } from './command.ts';
import { createRestClient } from './rest-client.ts';

const TOOL = 'connection_doctor';
/** For a script: something does not work. */
const EXIT_FAILED = 1;

interface Report {
  readonly status: string;
  readonly checks: readonly {
    readonly title: string;
    readonly status: string;
    readonly reason: string;
    readonly advice: string | null;
  }[];
}

/** `tabmesh doctor [--place PEER]`: examines the connection of the relay, or of another peer, step by step. */
export const runDoctor: RunCommand = async ({ flags, room, stdout, stop }) => {
  const client = createRestClient(room);
  // the one that was asked, not whichever peer is best
  const place = flags.place ?? (await client.peers(stop)).find(({ link }) => link === 'self')?.peer;
  const { result } = await client.call(TOOL, {}, { place, signal: stop });
  const { status, checks } = result as Report;
  for (const check of checks) {
    stdout(`${check.status.padEnd(8)} ${check.title}: ${check.reason}\n`);
    if (check.advice !== null) stdout(`${' '.repeat(9)}${check.advice}\n`);
  }
  return status === 'failed' ? EXIT_FAILED : 0;
};
