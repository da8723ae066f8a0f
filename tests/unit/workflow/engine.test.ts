import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action, Json } from '../../../src/contracts/workflow.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { RunId } from '../../../src/lib/ids.ts';
import { foldRun } from '../../../src/workflow/fold.ts';
import { PROGRESS_INTERVAL_MS } from '../../../src/workflow/progress.ts';
import { MAX_RESULT_CHARS, STEP_GRACE_MS } from '../../../src/workflow/step.ts';
import { settle } from '../../support/manual-clock.ts';
import { anyDag, bench, id, RUN, step, stuckAction, workflow } from './support.ts';

const broken: Action = () => Promise.reject(new TabmeshError('upstream_error', 'down'));

describe('a run', () => {
  it('passes results on, typed, and ends with its output', async () => {
    const { start, events, store } = bench({
      double: (inputs) => Promise.resolve((inputs as number) * 2),
    });
    const definition = workflow(
      [
        step('a', [], { inputs: '${inputs.n}', action: 'double' }),
        step('b', ['a'], { inputs: '${steps.a.result}', action: 'double' }),
      ],
      { result: '${steps.b.result}', run: '${run.id}', at: '${run.started_at}' },
    );
    const state = await start(definition, {}, { n: 5 });
    expect(state).toMatchObject({
      status: 'completed',
      result: { result: 20, run: RUN, at: '1970-01-01T00:00:01.000Z' },
    });
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [0, 'run_created'],
      [1, 'run_started'],
      [2, 'step_started'],
      [3, 'step_completed'],
      [4, 'step_started'],
      [5, 'step_completed'],
      [6, 'run_completed'],
    ]);
    expect(await store.events(RUN)).toEqual(events);
    expect(foldRun(events)).toEqual(state);
  });

  it('of any graph with any failures ends every step, and skips exactly what came after a failed one', async () => {
    const cases = anyDag.chain((dag) => fc.tuple(fc.constant(dag), fc.subarray(dag.steps.map((one) => one.id))));
    await fc.assert(
      fc.asyncProperty(cases, async ([dag, failing]) => {
        const ran: string[] = [];
        const { start, events, states, store } = bench({
          echo: (inputs) => {
            const name = inputs as string;
            ran.push(name);
            return failing.includes(id(name)) ? broken(null, undefined as never) : Promise.resolve(inputs);
          },
        });
        const state = await start(dag);
        expect(new Set(ran).size).toBe(ran.length);
        const lost = (own: string): boolean =>
          dag.steps.some((one) => one.id === own && one.dependsOn.some((d) => failing.includes(d) || lost(d)));
        for (const one of dag.steps) {
          const expected = lost(one.id) ? 'skipped' : failing.includes(one.id) ? 'failed' : 'completed';
          expect(state.steps[one.id]?.status).toBe(expected);
        }
        expect(state.status).toBe(failing.length > 0 ? 'failed' : 'completed');
        expect(states.at(-1)).toEqual(state);
        expect(foldRun(await store.events(RUN))).toEqual(state);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n));
      }),
      { numRuns: 60 },
    );
  });

  it('fails with the error of its first failed step', async () => {
    const { start } = bench({ broken, other: () => Promise.reject(new TypeError('second')) });
    const state = await start(workflow([step('a', [], { action: 'broken' }), step('b', [], { action: 'other' })]));
    expect(state).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_error', message: 'down' },
      steps: { b: { status: 'failed', error: { code: 'tool_failed', message: 'second' } } },
    });
  });

  it('fails a step whose inputs have no value, and a run whose output has none', async () => {
    const first = await bench().start(workflow([step('a'), step('b', ['a'], { inputs: '${steps.a.result.x}' })]));
    expect(first).toMatchObject({
      status: 'failed',
      steps: { b: { status: 'failed', error: { code: 'invalid_input' } } },
    });
    const second = await bench().start(workflow([step('a')], '${steps.a.result.x}'));
    expect(second).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_input' },
      steps: { a: { status: 'completed' } },
    });
  });

  it('fails a step that gives no result, or one too large to be passed', async () => {
    const { start } = bench({
      none: () => Promise.resolve(undefined as unknown as Json),
      huge: () => Promise.resolve('x'.repeat(MAX_RESULT_CHARS)),
    });
    const state = await start(workflow([step('a', [], { action: 'none' }), step('b', [], { action: 'huge' })]));
    expect(state.steps).toMatchObject({
      a: { error: { code: 'invalid_output' } },
      b: { error: { code: 'payload_too_large' } },
    });
  });

  it('does not begin when it cannot', async () => {
    const { start, events, store } = bench();
    await expect(start(workflow([step('a', ['a'])]))).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(start(workflow([step('a')]), {}, [])).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(start(workflow([step('a', [], { action: 'ghost' })]))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(start(workflow([step('a', [], { action: 'toString' })]))).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(events).toEqual([]);
    expect(await store.list()).toEqual([]);
  });

  it('cannot take the id of another', async () => {
    const { start, store } = bench();
    await start(workflow([step('a')]));
    const before = await store.events(RUN);
    await expect(start(workflow([step('a')]))).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.events(RUN)).toEqual(before);
  });
});

describe('progress', () => {
  it('is announced at once, then thinned to the latest of each interval, and never lost at the end', async () => {
    let go: () => void = () => undefined;
    let report: (done: number) => void = () => undefined;
    const { start, events, clock } = bench({
      busy: (_, { progress }) => {
        report = (done) => {
          progress({ done, total: 100, message: '' });
        };
        return new Promise((resolve) => {
          go = () => {
            resolve(null);
          };
        });
      },
    });
    const seen = () => events.flatMap((event) => (event.type === 'step_progress' ? [event.progress.done] : []));
    const ended = start(workflow([step('a', [], { action: 'busy' })]));
    await settle();
    for (let done = 1; done <= 10; done++) report(done);
    await settle();
    expect(seen().length).toBe(1);
    for (let done = 11; done <= 20; done++) report(done);
    await clock.advance(PROGRESS_INTERVAL_MS - 1);
    expect(seen().length).toBe(1);
    await clock.advance(1);
    expect(seen().at(-1)).toBe(20);
    expect(seen().length).toBe(2);
    report(21);
    report(22);
    go();
    expect(await ended).toMatchObject({ status: 'completed' });
    expect(seen().at(-1)).toBe(22);
    expect(seen().length).toBe(3);
    const after = events.length;
    report(23);
    await clock.advance(PROGRESS_INTERVAL_MS);
    expect(events).toHaveLength(after);
  });

  it('is complete before the step ends, however slow the store is', async () => {
    const { start, events } = bench(
      {
        hasty: (_, { progress }) => {
          progress({ done: 1, total: 2, message: '' });
          progress({ done: 2, total: 2, message: '' });
          return Promise.resolve(null);
        },
      },
      (inner) => ({
        ...inner,
        append: async (run, list) => {
          await settle();
          await inner.append(run, list);
        },
      }),
    );
    expect(await start(workflow([step('a', [], { action: 'hasty' })]))).toMatchObject({ status: 'completed' });
    expect(events.slice(3).map((event) => (event.type === 'step_progress' ? event.progress.done : event.type))).toEqual(
      [1, 2, 'step_completed', 'run_completed'],
    );
  });
});

describe('cancelling a run', () => {
  it('reaches the running action, runs nothing more, and ends cancelled', async () => {
    const { action, begun } = stuckAction();
    const ran: Json[] = [];
    const { start, store, clock } = bench({
      action,
      echo: (inputs) => {
        ran.push(inputs);
        return Promise.resolve(null);
      },
    });
    const stop = new AbortController();
    const definition = workflow([step('a', [], { action: 'action' }), step('b', ['a']), step('c')]);
    const ended = start(definition, { signal: stop.signal });
    const signal = await begun;
    stop.abort(new TabmeshError('cancelled', 'by the person'));
    const state = await ended;
    expect(signal.aborted).toBe(true);
    expect(ran).toEqual([]);
    expect(state).toMatchObject({ status: 'cancelled', reason: 'by the person' });
    expect(Object.values(state.steps).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(foldRun(await store.events(RUN))).toEqual(state);
    expect(clock.sleepers()).toBe(0);
  });

  it('before it began runs nothing', async () => {
    const { start } = bench({ echo: broken });
    expect(await start(workflow([step('a')]), { signal: AbortSignal.abort() })).toMatchObject({
      status: 'cancelled',
      reason: 'cancelled',
      steps: { a: { status: 'cancelled' } },
    });
  });

  it('does not wait for ever for an action that does not listen', async () => {
    const deaf = new Promise<never>(() => undefined);
    const { start, clock } = bench({ deaf: () => deaf });
    const stop = new AbortController();
    let over = false;
    const ended = start(workflow([step('a', [], { action: 'deaf' })]), { signal: stop.signal }).finally(() => {
      over = true;
    });
    await settle();
    stop.abort();
    await clock.advance(STEP_GRACE_MS - 1);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(await ended).toMatchObject({ status: 'cancelled' });
  });

  it('keeps the result of a step that was just done', async () => {
    const stop = new AbortController();
    const { start } = bench({
      last: () => {
        stop.abort();
        return Promise.resolve('saved');
      },
    });
    const definition = workflow([step('a', [], { action: 'last' }), step('b', ['a'])]);
    expect(await start(definition, { signal: stop.signal })).toMatchObject({
      status: 'cancelled',
      steps: { a: { status: 'completed', result: 'saved' }, b: { status: 'cancelled' } },
    });
  });
});

describe('the time limit of a step', () => {
  it('reaches the action and fails the step', async () => {
    const { action, begun } = stuckAction();
    const { start, clock } = bench({ action });
    const ended = start(workflow([step('a', [], { action: 'action', timeoutMs: 5_000 }), step('b', ['a'])]));
    const signal = await begun;
    await clock.advance(4_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await ended).toMatchObject({
      status: 'failed',
      error: { code: 'timeout', retryable: true, message: expect.stringContaining('Step a') as unknown },
      steps: { a: { status: 'failed' }, b: { status: 'skipped', because: 'a' } },
    });
  });
});

describe('a store that fails', () => {
  const full = new TabmeshError('quota_exceeded', 'no space', { hint: 'Delete.' });

  it('at the first event means that nothing has happened', async () => {
    const { start, events } = bench({}, (store) => ({ ...store, append: () => Promise.reject(full) }));
    await expect(start(workflow([step('a')]))).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(events).toEqual([]);
  });

  it('later stops the action and fails the run with its reason, announced though it cannot be stored', async () => {
    const { action, begun } = stuckAction();
    let failing = false;
    const stuck: Action = (inputs, context) => {
      failing = true;
      context.progress({ done: 1, total: 2, message: '' });
      return action(inputs, context);
    };
    const { start, events, store } = bench({ stuck }, (inner) => ({
      ...inner,
      append: (run, list) => (failing ? Promise.reject(full) : inner.append(run, list)),
    }));
    const state = await start(workflow([step('a', [], { action: 'stuck' }), step('b')]));
    expect((await begun).aborted).toBe(true);
    expect(state).toMatchObject({
      status: 'failed',
      error: { code: 'quota_exceeded', hint: 'Delete.', message: expect.stringContaining('no space') as unknown },
      steps: { a: { status: 'cancelled' }, b: { status: 'cancelled' } },
    });
    expect(events.map(({ type }) => type)).toEqual(['run_created', 'run_started', 'step_started', 'run_failed']);
    expect((await store.events(RUN)).map(({ type }) => type)).toEqual(['run_created', 'run_started', 'step_started']);
  });

  it('once, records the failure when it works again', async () => {
    let appends = 0;
    const { start, store } = bench({}, (inner) => ({
      ...inner,
      append: (run, list) => (++appends === 3 ? Promise.reject(full) : inner.append(run, list)),
    }));
    const state = await start(workflow([step('a')]));
    expect(state).toMatchObject({ status: 'failed', error: { code: 'quota_exceeded' } });
    expect(foldRun(await store.events(RUN))).toEqual(state);
  });

  it('is not confused with a slow one: an event is announced only when it is stored', async () => {
    let stored = 0;
    const announcedEarly: number[] = [];
    const { start } = bench({}, (inner) => ({
      ...inner,
      append: async (run, list) => {
        await settle();
        await inner.append(run, list);
        stored += list.length;
      },
    }));
    await start(workflow([step('a'), step('b')]), {
      onEvent: ({ seq }) => {
        if (seq >= stored) announcedEarly.push(seq);
      },
    });
    expect(stored).toBe(7);
    expect(announcedEarly).toEqual([]);
  });
});

describe('recovery', () => {
  it('ends what a dead process left, whatever it had got to, and leaves the rest', async () => {
    const source = bench();
    await source.start(workflow([step('a'), step('b', ['a'])]));
    const whole = await source.store.events(RUN);
    for (let length = 1; length <= whole.length; length++) {
      const { engine, store } = bench();
      await store.append(RUN, whole.slice(0, length));
      const [state] = await engine.recover();
      if (length === whole.length) {
        expect(state).toMatchObject({ status: 'completed' });
        expect(await store.events(RUN)).toEqual(whole);
        continue;
      }
      expect(state).toMatchObject({
        status: 'failed',
        error: { retryable: true, message: expect.stringContaining('interrupted') as unknown },
      });
      expect(foldRun(await store.events(RUN))).toEqual(state);
      expect(await engine.recover()).toEqual([state]);
    }
  });

  it('tells what a dead process left also where nothing more can be stored', async () => {
    const source = bench();
    await source.start(workflow([step('a')]));
    const [created, started] = await source.store.events(RUN);
    if (created === undefined || started === undefined) throw new Error('no events');
    const full = () => Promise.reject(new TabmeshError('quota_exceeded', 'there is no storage space left'));
    let isFull = false;
    const { engine, store } = bench({}, (inner) => ({
      ...inner,
      append: (run, events) => (isFull ? full() : inner.append(run, events)),
    }));
    await store.append(RUN, [created, started]);
    isFull = true;
    expect(await engine.recover()).toMatchObject([{ runId: RUN, status: 'failed' }]);
    expect(await store.events(RUN)).toEqual([created, started]);
  });

  it('leaves alone what is going on, here or elsewhere', async () => {
    const { action, begun } = stuckAction();
    const { engine, start, store } = bench({ action });
    const stop = new AbortController();
    const ended = start(workflow([step('a', [], { action: 'action' })]), { signal: stop.signal });
    await begun;
    const events = await store.events(RUN);
    const elsewhere = 'run-2' as RunId;
    await store.append(elsewhere, [{ ...events[0], runId: elsewhere } as (typeof events)[number]]);
    const states = await engine.recover({ isElsewhere: (run) => Promise.resolve(run === elsewhere) });
    expect(states.map(({ runId, status }) => [runId, status]).sort()).toEqual([
      [RUN, 'running'],
      [elsewhere, 'created'],
    ]);
    stop.abort();
    expect(await ended).toMatchObject({ status: 'cancelled' });
  });

  it('tells of runs that cannot be read and goes on', async () => {
    const { engine, start, kv } = bench();
    await start(workflow([step('a')]));
    await kv.put('run/head/new', { version: 99, createdAt: 1, count: 1, ended: false });
    await kv.put('run/head/bad', { version: 1, createdAt: 2, count: 3, ended: false });
    const before = await kv.keys();
    const unreadable: unknown[] = [];
    const states = await engine.recover({ onUnreadable: (run) => unreadable.push([run.runId, run.error.code]) });
    expect(states.map(({ runId }) => runId)).toEqual([RUN]);
    expect(unreadable).toEqual([
      ['bad', 'corrupt'],
      ['new', 'format_newer'],
    ]);
    expect(await kv.keys()).toEqual(before);
  });
});
