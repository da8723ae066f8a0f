import type { DeviceAnswer } from '../../contracts/search.ts';

const RANK: Readonly<Record<DeviceAnswer['status'], number>> = { failed: 0, answered: 1, away: 2 };

/** Failures first, then who answered with most hits, soonest first, then who is away. */
export function byInterest(a: DeviceAnswer, b: DeviceAnswer): number {
  if (a.status === 'answered' && b.status === 'answered') return b.hits - a.hits || a.tookMs - b.tookMs;
  return RANK[a.status] - RANK[b.status] || a.name.localeCompare(b.name, 'en');
}
