import { describe, expect, it } from 'vitest';
import type { WireError } from '../../../src/lib/errors.ts';
import { collectInputs, explainFailure } from '../../../src/app/research/run-outcome.ts';

function failure(details: Record<string, unknown>, over: Partial<WireError> = {}): WireError {
  return { code: 'upstream_throttled', message: 'PubMed answered 429', hint: null, retryable: true, details, ...over };
}

describe('explainFailure', () => {
  it('says what happened, what was kept and what to do', () => {
    expect(explainFailure(failure({ dataset: 'bafy', fetched: 1200 }))).toEqual({
      happened: 'PubMed answered 429.',
      kept: 'The 1,200 records fetched before are kept as a dataset.',
      advice: 'PubMed asks to slow down. Wait a minute, then try again.',
    });
  });

  it('never claims that something was kept that was not', () => {
    expect(explainFailure(failure({})).kept).toBeNull();
    expect(explainFailure(failure({ dataset: 'bafy' })).kept).toBe('What was fetched before is kept as a dataset.');
    expect(explainFailure(failure({ fetched: 0 })).kept).toBe('Nothing had been fetched, and nothing was stored.');
    expect(explainFailure(failure({ fetched: 1 })).kept).toBe('1 record had been fetched, but could not be stored.');
    expect(explainFailure(failure({ dataset: 7, fetched: 'x' })).kept).toBeNull();
  });

  it("prefers the error's own hint", () => {
    expect(explainFailure(failure({}, { hint: 'wait until noon' })).advice).toBe('Wait until noon.');
    expect(explainFailure(failure({}, { code: 'internal', retryable: true })).advice).toBe('Try again.');
  });
});

describe('collectInputs', () => {
  it('reads what is there', () => {
    expect(collectInputs({ query: 'sleep', max_results: 50 })).toEqual({ query: 'sleep', maxResults: 50 });
    expect(collectInputs(null)).toEqual({ query: '', maxResults: null });
    expect(collectInputs(['x'])).toEqual({ query: '', maxResults: null });
  });
});
