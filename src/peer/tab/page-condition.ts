import type { Battery, MeshPeer } from '../../contracts/mesh.ts';

/** What a page has been busy with for longer ago says little of now. */
const WINDOW_MS = 10_000;

/** Not in TypeScript's library: only Chromium has it. */
interface BatteryManager extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

/** How this device is doing, as far as the browser tells. */
export interface PageCondition {
  read(): Pick<MeshPeer, 'load' | 'battery'>;
  stop(): void;
}

/** Follows the page's long tasks (over 50 ms, W3C Long Tasks) and the battery (W3C Battery Status). */
export function watchCondition(): PageCondition {
  const tasks: { readonly end: number; readonly ms: number }[] = [];
  let battery: BatteryManager | null = null;
  const observer = PerformanceObserver.supportedEntryTypes.includes('longtask')
    ? new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
          tasks.push({ end: startTime + duration, ms: duration });
        }
      })
    : null;
  observer?.observe({ type: 'longtask' });
  const { getBattery } = navigator as Navigator & { getBattery?: () => Promise<BatteryManager> };
  getBattery?.call(navigator).then(
    (manager) => {
      battery = manager;
    },
    () => undefined, // a policy may forbid it: then nobody is told
  );

  return {
    read: () => ({
      load: observer === null ? null : busyShare(tasks),
      battery: battery === null ? null : toBattery(battery),
    }),
    stop: () => observer?.disconnect(),
  };
}

function busyShare(tasks: { readonly end: number; readonly ms: number }[]): number {
  const since = performance.now() - WINDOW_MS;
  while (tasks[0] !== undefined && tasks[0].end < since) tasks.shift();
  const busy = tasks.reduce((sum, { ms }) => sum + ms, 0);
  return Math.round(Math.min(1, busy / WINDOW_MS) * 100) / 100;
}

const toBattery = ({ level, charging }: BatteryManager): Battery => ({
  level: Math.round(level * 100) / 100,
  charging,
});
