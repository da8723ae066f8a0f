import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The command `tabmesh`. */
export const TABMESH = fileURLToPath(new URL('../../bin/tabmesh.mjs', import.meta.url));

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tabmesh` as a shell would, to its end. @param through the command that it is run in, e.g. of a namespace */
export async function tabmesh(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly through?: readonly string[];
  } = {},
): Promise<Said> {
  const { through = [], ...rest } = options;
  const [command = process.execPath, ...words] = [...through, process.execPath, TABMESH, ...args];
  const child = spawn(command, words, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}
