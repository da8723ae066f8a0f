import { describe, it } from 'vitest';
import { expectConvergence } from '../support/replica-convergence.ts';

describe('replicas converge', () => {
  it('after partitions, restarts, compactions, duplicates, reordering, and an author of several histories', () =>
    expectConvergence(300));
});
