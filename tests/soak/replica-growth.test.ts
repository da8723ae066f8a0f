import { describe, it } from 'vitest';
import { expectBoundedGrowth } from '../support/replica-growth.ts';

describe('a replica stays small', () => {
  it('over 100,000 updates in 2,000 sessions', () =>
    expectBoundedGrowth({ sessions: 2000, updates: 50, followEvery: 50 }));
});
