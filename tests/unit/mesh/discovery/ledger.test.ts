import { describe, expect, it } from 'vitest';
import { PeerLedger } from '../../../../src/mesh/discovery/ledger.ts';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { PEERS } from '../../../support/peer-records.ts';

const HOUR = 3_600_000;
const [a, b] = PEERS;

describe('the ledger of a peer', () => {
  it('knows nothing of whom it never dealt with', () => {
    const ledger = new PeerLedger(manualClock());
    expect(ledger.of(a)).toBeUndefined();
    expect(ledger.rankOf(a)).toEqual({ reliability: null, latencyMs: null });
    expect(ledger.hours(a, 24)).toEqual([]);
  });

  it('counts loss over the last hundred pings, and reliability over everything', () => {
    const ledger = new PeerLedger(manualClock());
    for (let n = 0; n < 100; n++) ledger.probed(a, null);
    expect(ledger.of(a)).toMatchObject({
      lossPercent: 100,
      quality: 0,
      reliability: 0,
      latencyMs: null,
      lastActive: null,
    });
    for (let n = 0; n < 75; n++) ledger.probed(a, 200);
    expect(ledger.of(a)).toMatchObject({ lossPercent: 25, quality: 0.375, reliability: 75 / 175, latencyMs: 200 });
    for (let n = 0; n < 25; n++) ledger.probed(a, 0);
    expect(ledger.of(a)).toMatchObject({ lossPercent: 0, quality: 1, reliability: 0.5 });
  });

  it('counts attempts to connect into reliability', () => {
    const ledger = new PeerLedger(manualClock());
    ledger.tried(a, false);
    ledger.tried(a, true);
    ledger.tried(a, true);
    ledger.tried(a, true);
    expect(ledger.rankOf(a)).toEqual({ reliability: 0.75, latencyMs: null });
    expect(ledger.of(a)).toMatchObject({ quality: null, lossPercent: null });
  });

  it('adds up the time linked, also while it lasts', async () => {
    const clock = manualClock();
    const ledger = new PeerLedger(clock);
    ledger.linked(a);
    await clock.advance(HOUR);
    ledger.linked(a);
    expect(ledger.of(a)?.uptimeHours).toBe(1);
    ledger.unlinked(a);
    await clock.advance(HOUR);
    expect(ledger.of(a)?.uptimeHours).toBe(1);
    ledger.linked(a);
    await clock.advance(HOUR / 2);
    expect(ledger.of(a)?.uptimeHours).toBe(1.5);
  });

  it('keeps hours, oldest first, and no more than a week of them', async () => {
    const clock = manualClock(0);
    const ledger = new PeerLedger(clock);
    for (let hour = 0; hour < 200; hour++) {
      ledger.probed(a, hour);
      ledger.probed(a, null);
      ledger.transferred(a, 10);
      if (hour === 199) ledger.measured(a, 50);
      await clock.advance(HOUR);
    }
    const hours = ledger.hours(a, 1000);
    expect(hours).toHaveLength(168);
    expect(hours.map(({ at }) => at)).toEqual(hours.map(({ at }) => at).toSorted((x, y) => x - y));
    expect(hours.at(-1)).toMatchObject({
      at: 199 * HOUR,
      latencyMs: 199,
      lossPercent: 50,
      bytesTransferred: 10,
      bandwidthMbps: 50,
    });
    expect(ledger.hours(a, 3).map(({ latencyMs }) => latencyMs)).toEqual([198, 199]);
    expect(ledger.of(a)?.bytes).toBe(2000);
  });

  it('forgets whom it has not dealt with for longest, and nobody who is linked', async () => {
    const clock = manualClock();
    const ledger = new PeerLedger(clock);
    ledger.linked(a);
    ledger.probed(b, 1);
    for (let n = 0; n < 499; n++) {
      await clock.advance(1);
      ledger.probed(`peer-${String(n)}` as PeerId, 1);
    }
    expect(ledger.of(a)).toBeDefined();
    expect(ledger.of(b)).toBeUndefined();
    expect(ledger.of('peer-0' as PeerId)).toBeDefined();
  });
});
