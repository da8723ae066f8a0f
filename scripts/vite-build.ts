import { run } from './process.ts';

/** Standard output belongs to the relay (`--json`): what a build says goes to standard error. */
const TO_STDERR = ['ignore', 2, 2] as const;

/**
 * Runs Vite's build in a process of its own: whoever asked for it may become the relay, which wants little memory.
 * @param args of its command line
 * @returns its exit code
 */
export function viteBuild(args: readonly string[]): Promise<number> {
  const vite = 'node_modules/vite/bin/vite.js';
  return run(process.execPath, [vite, 'build', '--logLevel', 'warn', ...args], [...TO_STDERR]);
}
