import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { notSent } from '../../../src/tools/remote.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { appPrincipal } from '../../support/ports.ts';
import { roomPeer, testRemotes } from '../../support/room.ts';
import { testRouter } from '../../support/router.ts';
import { sampleTool } from '../../support/tools.ts';

/** How a place meets a call: after `ms`, in one of the ways that a place can. */
const behaviour = fc.record({
  way: fc.constantFrom('answers', 'never left', 'dies', 'is full', 'tool fails', 'hangs'),
  ms: fc.integer({ min: 0, max: 80 }),
  latencyMs: fc.option(fc.integer({ min: 0, max: 600 })),
  direct: fc.boolean(),
  visible: fc.boolean(),
});

const schedule = fc.record({
  places: fc.array(behaviour, { minLength: 1, maxLength: 6 }),
  idempotent: fc.boolean(),
  timeoutMs: fc.integer({ min: 1, max: 200 }),
  cancelAt: fc.option(fc.integer({ min: 0, max: 200 })),
});

describe('any schedule of failing places', () => {
  it('begins a call once unless it is idempotent, at no place twice, and ends by the deadline', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ places, idempotent, timeoutMs, cancelAt }) => {
        const clock = manualClock();
        const { metadata } = sampleTool({ idempotent });
        const begun: string[] = [];
        const peers = places.map(({ way, ms, ...state }, index) => {
          const name = `peer-${String(index)}`;
          const serve = async () => {
            if (way !== 'never left') begun.push(name);
            if (way === 'hangs') return new Promise<never>(() => undefined);
            await clock.sleep(ms);
            if (way === 'never left') throw notSent('gone');
            if (way === 'dies') throw new TabmeshError('peer_unreachable', 'lost');
            if (way === 'is full') throw new TabmeshError('rate_limited', 'full');
            if (way === 'tool fails') throw new Error('failed');
            return { text: name };
          };
          return roomPeer(name, [metadata], { ...state, serve });
        });
        const remotes = testRemotes(...peers);
        const tools = testRouter(remotes, { clock });
        const controller = new AbortController();
        const call = tools.call(
          { tool: 'sample', args: {}, principal: appPrincipal },
          { timeoutMs, signal: controller.signal },
        );
        if (cancelAt !== null && cancelAt < timeoutMs) {
          await clock.advance(cancelAt);
          controller.abort();
        }
        await clock.advance(timeoutMs);
        // let what the places still do after the end happen, before looking at who began
        await clock.advance(1000);
        const result = await Promise.race([call, settle().then(() => undefined)]);

        if (result === undefined) throw new Error('the call did not end by its deadline');
        expect(result.tookMs).toBeLessThanOrEqual(timeoutMs);
        expect(new Set(remotes.calls).size).toBe(remotes.calls.length);
        if (!idempotent) expect(begun.length).toBeLessThanOrEqual(1);
        if (result.ok) expect(result.value).toEqual({ text: result.route.chosen.peer });
        else expect(result.error.message).not.toBe('');
      }),
      { numRuns: 200 },
    );
  });
});
