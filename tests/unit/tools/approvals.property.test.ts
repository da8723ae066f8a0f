import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalAnswer } from '../../../src/contracts/approvals.ts';
import { MAX_PENDING, MAX_PENDING_PER_ASKER, MAX_REQUESTS, MAX_STANDING } from '../../../src/tools/approvals/limits.ts';
import { ask, decide, NOTHING_ASKED, revoke, type ApprovalState } from '../../../src/tools/approvals/state.ts';

type Step =
  | {
      readonly type: 'ask';
      readonly asker: string;
      readonly tool: string;
      readonly call: string;
      readonly handle: number | null;
    }
  | { readonly type: 'decide'; readonly handle: number; readonly answer: ApprovalAnswer }
  | { readonly type: 'revoke'; readonly decision: number }
  | { readonly type: 'wait'; readonly ms: number };

const ASKERS = ['a', 'b', 'c', 'd', 'e'];
const few = (names: readonly string[]) => fc.constantFrom(...names);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      asker: few(ASKERS),
      tool: few(['x', 'y']),
      call: few(['1', '2']),
      handle: fc.option(fc.nat(5)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('decide' as const),
      handle: fc.nat(5),
      answer: fc.constantFrom('once' as const, 'always' as const, 'no' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('revoke' as const), decision: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(30 * 3600_000) }) },
);

describe('approvals, in any order of asking, answering, revoking and waiting', () => {
  it('nothing runs that was not allowed, an approval runs once, and what is kept is bounded', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let state: ApprovalState = NOTHING_ASKED;
        let now = 0;
        let serial = 0;
        /** what the person has allowed and nobody has used: approvals of one call, and those that stand */
        const once = new Map<string, string>();
        const always = new Set<string>();
        const given: string[] = [];
        for (const each of steps) {
          now += 1;
          if (each.type === 'wait') now += each.ms;
          if (each.type === 'revoke') {
            const decision = state.decisions[each.decision];
            if (decision !== undefined) {
              const key = `${decision.asker.key} ${decision.tool}`;
              always.delete(key);
              for (const [handle, what] of once) if (what.startsWith(`${key} `)) once.delete(handle);
              state = revoke(state, decision.id).state;
            }
          }
          if (each.type === 'decide') {
            const handle = given.at(-1 - each.handle);
            const request = state.requests.find((known) => known.handle === handle);
            if (handle === undefined || request === undefined) continue;
            const answered = decide(state, handle, each.answer, now, `d${String(serial++)}`);
            state = answered.state;
            if (!answered.result) continue;
            const key = `${request.asker.key} ${request.tool}`;
            if (each.answer === 'no') always.delete(key);
            else once.set(handle, `${key} ${request.call}`);
            if (each.answer === 'always') always.add(key);
          }
          if (each.type === 'ask') {
            const handle = each.handle === null ? null : (given.at(-1 - each.handle) ?? 'made-up');
            const asker = { key: each.asker, class: 'member' as const, name: each.asker, device: null };
            const call = { asker, tool: each.tool, access: 'write' as const, call: each.call, args: '{}', handle };
            const fresh = `h${String(serial++)}`;
            const asked = ask(state, call, now, fresh);
            state = asked.state;
            const { result } = asked;
            if (result.type === 'pending' && result.handle === fresh) given.push(fresh);
            if (result.type !== 'run') continue;
            const key = `${each.asker} ${each.tool}`;
            const used = handle ?? [...once].find(([, what]) => what === `${key} ${each.call}`)?.[0];
            const isStanding = handle === null && always.has(key);
            expect(isStanding || once.get(used ?? '') === `${key} ${each.call}`).toBe(true);
            if (!isStanding) once.delete(used ?? '');
          }
          const pending = state.requests.filter((request) => request.state === 'pending');
          expect(pending.length).toBeLessThanOrEqual(MAX_PENDING);
          for (const asker of ASKERS) {
            expect(pending.filter((request) => request.asker.key === asker).length).toBeLessThanOrEqual(
              MAX_PENDING_PER_ASKER,
            );
          }
          expect(state.requests.length).toBeLessThanOrEqual(MAX_REQUESTS);
          expect(state.decisions.length).toBeLessThanOrEqual(MAX_STANDING);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
