import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:process';
import { promisify } from 'node:util';

/** `/proc/PID/stat`: fields after the command's closing bracket start with field 3; the start time is field 22 (proc(5)). */
const START_TIME_AFTER_COMMAND = 22 - 3;

/** What is known of a process: its start marks it, since process ids are used again. */
export interface ProcessState {
  readonly running: boolean;
  /** differs between two processes that had the same id; null where the system does not tell */
  readonly start: string | null;
}

/** Looks a process up. */
export async function lookUpProcess(pid: number): Promise<ProcessState> {
  if (!isRunning(pid)) return { running: false, start: null };
  return { running: true, start: platform === 'linux' ? await startFromProc(pid) : await startFromPs(pid) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, for another user
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function startFromProc(pid: number): Promise<string | null> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${String(pid)}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot.trim()}/${fields[START_TIME_AFTER_COMMAND] ?? ''}`;
  } catch {
    // no /proc in this sandbox, or it ended meanwhile: unknown
    return null;
  }
}

async function startFromPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || null;
  } catch {
    // no ps on this system: unknown
    return null;
  }
}
