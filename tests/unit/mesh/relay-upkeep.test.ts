import { afterEach, describe, expect, it } from 'vitest';
import type { PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { RelayUpkeep } from '../../../src/mesh/links/relay-upkeep.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';

const RELAY = '12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE' as PeerId;

const stopping: AbortController[] = [];
afterEach(() => {
  for (const stop of stopping.splice(0)) stop.abort(new Error('the test is over'));
});

/** A stay at a relay that answers as it is told to. */
function makeStay() {
  const clock = manualClock();
  const relay = { gives: true, answers: true, asked: 0, pinged: 0, silent: 0 };
  const refuse = (yes: boolean, why: string) => (yes ? Promise.resolve() : Promise.reject(new Error(why)));
  const upkeep = new RelayUpkeep({
    relay: RELAY,
    reserve: () => {
      relay.asked++;
      return refuse(relay.gives, 'no place');
    },
    ping: () => {
      relay.pinged++;
      return refuse(relay.answers, 'no answer');
    },
    onSilent: () => relay.silent++,
    clock,
    log: silentLog,
  });
  const stop = new AbortController();
  stopping.push(stop);
  upkeep.start(stop.signal);
  return { clock, relay, upkeep, stop };
}

describe('a stay at a relay', () => {
  it('asks again for a place that it did not get, and looks after the one that it has', async () => {
    const { clock, relay } = makeStay();
    relay.gives = false;
    await settle();
    expect(relay.asked).toBe(1);
    relay.answers = true;
    await clock.advance(60_000);
    expect(relay.asked).toBeGreaterThan(4);
    relay.gives = true;
    await clock.advance(15_000);
    const got = relay.asked;
    await clock.advance(25_000);
    expect(relay.asked - got).toBeLessThanOrEqual(1);
    expect(relay.silent).toBe(0);
  });

  it('ends when the relay has not answered twice in a row, and not before', async () => {
    const { clock, relay } = makeStay();
    await clock.advance(60_000);
    expect(relay).toMatchObject({ pinged: 6, silent: 0 });
    relay.answers = false;
    await clock.advance(9_999);
    expect(relay.silent).toBe(0);
    await clock.advance(1);
    await settle();
    expect(relay).toMatchObject({ pinged: 8, silent: 1 });
    await clock.advance(60_000);
    expect(relay).toMatchObject({ pinged: 8, silent: 1 });
  });

  it('looks at once when the network has changed', async () => {
    const { relay, upkeep } = makeStay();
    await settle();
    relay.answers = false;
    upkeep.checkNow();
    await settle();
    expect(relay).toMatchObject({ pinged: 2, silent: 1 });
  });

  it('stops asking when it is over', async () => {
    const { clock, relay, stop } = makeStay();
    await settle();
    stop.abort(new Error('left'));
    await settle();
    await clock.advance(120_000);
    expect(relay).toMatchObject({ asked: 1, pinged: 0, silent: 0 });
  });
});
