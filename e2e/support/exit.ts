import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Waits until a process has ended.
 * @param ms the longest wait; then it is killed
 * @throws when it had to be killed
 */
export async function ended(child: ChildProcess, ms: number): Promise<Ending> {
  if (child.exitCode === null && child.signalCode === null) {
    try {
      await once(child, 'exit', { signal: AbortSignal.timeout(ms) });
    } catch {
      child.kill('SIGKILL');
      throw new Error(`the process did not end within ${ms} ms`);
    }
  }
  return { code: child.exitCode, signal: child.signalCode };
}
