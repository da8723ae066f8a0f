import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface Usage {
  readonly rssMb: number;
  readonly cpuMs: number;
  readonly atMs: number;
}

/** Linux counts CPU time in hundredths of a second (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** Reads `/proc` (Linux only). @throws when there is no such process */
export function processUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  // proc(5): the fields after the name in brackets; user and system time are the 14th and 15th of all
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { rssMb: Math.round(rssKb / 1024), cpuMs: ticks * TICK_MS, atMs: performance.now() };
}
