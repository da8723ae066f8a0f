import { expect, it } from 'vitest';
import { coalesce } from '../../../src/lib/coalesce.ts';
import { manualClock } from '../../support/manual-clock.ts';

function counting(clock = manualClock(), closing = new AbortController()) {
  let runs = 0;
  const coalesced = coalesce(() => (runs += 1), 100, clock, closing.signal);
  return { clock, closing, coalesced, runs: () => runs };
}

it('runs once for all requests of an interval, and again for the next', async () => {
  const { clock, coalesced, runs } = counting();
  for (let i = 0; i < 10; i++) coalesced.soon();
  await clock.advance(99);
  expect(runs()).toBe(0);
  await clock.advance(1);
  expect(runs()).toBe(1);
  coalesced.soon();
  await clock.advance(100);
  expect(runs()).toBe(2);
  await clock.advance(1000);
  expect(runs()).toBe(2);
});

it('runs at once when flushed, and then not again', async () => {
  const { clock, coalesced, runs } = counting();
  coalesced.flush();
  expect(runs()).toBe(0);
  coalesced.soon();
  coalesced.flush();
  expect(runs()).toBe(1);
  await clock.advance(1000);
  expect(runs()).toBe(1);
});

it('runs nothing and leaves no timer behind once it has ended', async () => {
  const { clock, closing, coalesced, runs } = counting();
  coalesced.soon();
  closing.abort();
  coalesced.soon();
  await clock.advance(1000);
  expect(runs()).toBe(0);
  expect(clock.sleepers()).toBe(0);
});
