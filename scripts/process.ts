import { spawn, type StdioOptions } from 'node:child_process';

/** What a program is told to stop with; passed on to those that it started. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs a program to its end, and passes on a wish to stop.
 * @returns its exit code; 128 + 2 (SIGINT) by convention when a signal ended it
 * @throws when the program cannot be started
 */
export async function run(command: string, args: readonly string[], stdio: StdioOptions = 'inherit'): Promise<number> {
  const child = spawn(command, args, { stdio });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        resolve(code ?? 130);
      });
    });
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop);
  }
}
