import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent, RunState } from '../../../src/contracts/workflow.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { applyEvent, foldRun, hasEnded } from '../../../src/workflow/fold.ts';
import type { EventBody } from '../../../src/workflow/run-log.ts';
import { anyDag, id, RUN, step, workflow } from './support.ts';

const ERROR = new TabmeshError('tool_failed', 'broken').toWire();
const definition = workflow([step('a'), step('b', ['a'])]);
const created: EventBody = { type: 'run_created', runId: RUN, definition, inputs: {} };
const started: EventBody = { type: 'run_started' };

function numbered(...bodies: readonly EventBody[]): RunEvent[] {
  return bodies.map((body, seq) => ({ ...body, seq, at: 100 + seq }));
}

function fold(...bodies: readonly EventBody[]): RunState {
  return foldRun(numbered(...bodies));
}

const on = {
  start: (s: string): EventBody => ({ type: 'step_started', step: id(s), inputs: null }),
  progress: (s: string): EventBody => ({
    type: 'step_progress',
    step: id(s),
    progress: { done: 1, total: null, message: 'm' },
  }),
  complete: (s: string): EventBody => ({ type: 'step_completed', step: id(s), result: s }),
  fail: (s: string): EventBody => ({ type: 'step_failed', step: id(s), error: ERROR }),
  skip: (s: string, because: string): EventBody => ({ type: 'step_skipped', step: id(s), because: id(because) }),
};
const done: EventBody = { type: 'run_completed', result: 1 };
const failed: EventBody = { type: 'run_failed', error: ERROR };
const cancelled: EventBody = { type: 'run_cancelled', reason: 'enough' };

describe('the state of a run', () => {
  it('follows from its events', () => {
    expect(fold(created, started, on.start('a'), on.progress('a'))).toEqual({
      runId: RUN,
      definition,
      inputs: {},
      createdAt: 100,
      status: 'running',
      startedAt: 101,
      steps: {
        a: { status: 'running', startedAt: 102, progress: { done: 1, total: null, message: 'm' } },
        b: { status: 'pending' },
      },
    });
    expect(
      fold(created, started, on.start('a'), on.complete('a'), on.start('b'), on.complete('b'), done),
    ).toMatchObject({
      status: 'completed',
      endedAt: 106,
      result: 1,
      steps: { a: { status: 'completed', startedAt: 102, endedAt: 103, result: 'a' } },
    });
    expect(fold(created, started, on.start('a'), on.fail('a'), on.skip('b', 'a'), failed)).toMatchObject({
      status: 'failed',
      error: ERROR,
      steps: { a: { status: 'failed' }, b: { status: 'skipped', because: 'a' } },
    });
  });

  it('has no open step once the run has ended', () => {
    for (const end of [cancelled, failed]) {
      expect(fold(created, started, on.start('a'), end).steps).toEqual({
        a: { status: 'cancelled', endedAt: 103 },
        b: { status: 'cancelled', endedAt: 103 },
      });
    }
  });
});

describe('a history that cannot be', () => {
  it.each<[string, readonly EventBody[]]>([
    ['nothing', []],
    ['no beginning', [started]],
    ['two beginnings', [created, created]],
    ['a step before the start', [created, on.start('a')]],
    ['two starts', [created, started, started]],
    ['an unknown step', [created, started, on.start('x')]],
    ['a step named like a member of objects', [created, started, on.start('constructor')]],
    ['a step before its dependency', [created, started, on.start('b')]],
    ['a step twice', [created, started, on.start('a'), on.start('a')]],
    ['progress of a step that waits', [created, started, on.progress('a')]],
    ['a result of a step that waits', [created, started, on.complete('a')]],
    ['a failure after the result', [created, started, on.start('a'), on.complete('a'), on.fail('a')]],
    ['a skipped step that runs', [created, started, on.start('a'), on.skip('a', 'b')]],
    ['a step skipped for one that has not failed', [created, started, on.skip('b', 'a')]],
    ['an end with open steps', [created, started, done]],
    ['an event after the end', [created, started, cancelled, on.start('a')]],
    ['two ends', [created, started, failed, cancelled]],
  ])('is corrupt: %s', (_, bodies) => {
    expect(() => fold(...bodies)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });

  it('is corrupt when a number is missing or comes twice', () => {
    const [first, second] = numbered(created, started);
    if (first === undefined || second === undefined) throw new Error('no events');
    expect(() => foldRun([second])).toThrow(expect.objectContaining({ code: 'corrupt' }));
    expect(() => foldRun([first, { ...second, seq: 2 }])).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

describe('any sequence of events', () => {
  const anyBody = (steps: readonly string[]): fc.Arbitrary<EventBody> => {
    const name = steps.length === 0 ? fc.constant('none') : fc.constantFrom(...steps);
    return fc.oneof(
      { arbitrary: fc.constantFrom(started, done, failed, cancelled), weight: 1 },
      {
        arbitrary: fc
          .tuple(name, fc.constantFrom(on.start, on.progress, on.complete, on.fail))
          .map(([s, make]) => make(s)),
        weight: 9,
      },
      { arbitrary: fc.tuple(name, name).map(([s, because]) => on.skip(s, because)), weight: 2 },
    );
  };

  it('either folds, and then each step is in one legal state, or is refused and the state stays', () => {
    const sequences = anyDag.chain((dag) =>
      fc.tuple(fc.constant(dag), fc.array(anyBody(dag.steps.map((one) => one.id)), { maxLength: 60 })),
    );
    fc.assert(
      fc.property(sequences, ([dag, bodies]) => {
        const accepted: EventBody[] = [{ type: 'run_created', runId: RUN, definition: dag, inputs: {} }, started];
        let state = fold(...accepted);
        for (const body of bodies) {
          const frozen = JSON.stringify(state);
          const event = { ...body, seq: accepted.length, at: 100 + accepted.length };
          try {
            const next = applyEvent(state, event);
            expect(hasEnded(state)).toBe(false);
            state = next;
            accepted.push(body);
          } catch (error) {
            expect(error).toMatchObject({ code: 'corrupt' });
            expect(JSON.stringify(state)).toBe(frozen);
          }
        }
        expect(fold(...accepted)).toEqual(state);
        for (const { id: own, dependsOn } of dag.steps) {
          const status = state.steps[own]?.status;
          if (status === 'running' || status === 'completed' || status === 'failed') {
            expect(dependsOn.every((other) => state.steps[other]?.status === 'completed')).toBe(true);
          }
          if (hasEnded(state)) expect(status === 'pending' || status === 'running').toBe(false);
        }
      }),
    );
  });
});
