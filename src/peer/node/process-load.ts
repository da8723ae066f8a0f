import { performance } from 'node:perf_hooks';

/** Share of the event loop's time that was busy since the last question, 0 to 1. */
export function createProcessLoad(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return round(Math.min(1, Math.max(0, utilization)));
  };
}

/** Whole hundredths: more is noise, and would be told as news. */
const round = (share: number) => Math.round(share * 100) / 100;
