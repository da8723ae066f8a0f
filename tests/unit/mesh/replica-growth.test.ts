import { describe, it } from 'vitest';
import { expectBoundedGrowth } from '../../support/replica-growth.ts';

// 2,000 sessions and 100,000 updates: tests/soak/replica-growth.test.ts
describe('a replica stays small', () => {
  it('over many sessions', () => expectBoundedGrowth({ sessions: 500, updates: 2, followEvery: 100 }), 60_000);
  it('over many updates', () => expectBoundedGrowth({ sessions: 2, updates: 1000, followEvery: 1 }), 60_000);
});
