import { systemClock, type Clock } from '../../src/lib/clock.ts';

/**
 * The system's clock for a test in a hurry: it tells the true time, but whoever sleeps is woken early. Back-offs and time
 * limits keep their order.
 * @param times how many times as fast
 */
export function hastyClock(times: number): Clock {
  return { now: () => systemClock.now(), sleep: (ms, signal) => systemClock.sleep(ms / times, signal) };
}
