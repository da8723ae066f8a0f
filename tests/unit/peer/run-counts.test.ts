import { describe, expect, it } from 'vitest';
import type { Action, RunState, StepDefinition, WorkflowDefinition } from '../../../src/contracts/workflow.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createProcessHold } from '../../../src/mesh/storage/hold.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { RunBook } from '../../../src/peer/room/run-book.ts';
import { createEngine } from '../../../src/workflow/engine.ts';
import { createRunStore } from '../../../src/workflow/store.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { step } from '../workflow/support.ts';

/** The runs of a peer, executed by the real engine. */
function peerRuns(steps: readonly StepDefinition[], actions: Readonly<Record<string, Action>> = {}): RunBook {
  const definition: WorkflowDefinition = {
    id: 'w',
    version: '1.0.0',
    name: 'w',
    inputSchema: { type: 'object' },
    steps,
    output: null,
  };
  const store = createRunStore(createMemoryStore());
  const echo: Action = (inputs) => Promise.resolve(inputs);
  const engine = createEngine({ actions: { echo, ...actions }, store, clock: manualClock() });
  const executor = {
    execute: engine.start.bind(engine),
    load: () => Promise.resolve([]),
    delete: () => Promise.resolve(),
  };
  return new RunBook(executor, [definition], createProcessHold(), silentLog);
}

/** How many runs of a peer there are of each kind. */
function counts(runs: RunBook) {
  const of = (...statuses: RunState['status'][]) =>
    runs.list().filter(({ status }) => statuses.includes(status)).length;
  return { active: of('created', 'running'), completed: of('completed'), failed: of('failed') };
}

describe('what a peer counts of its runs', () => {
  it('PI5 a step that waits for nothing begins, one that waits for another only when that is completed', async () => {
    const seen: RunState[] = [];
    const { ended } = peerRuns([step('then', ['first']), step('first')]).start(
      'w',
      {},
      { onState: (state) => seen.push(state) },
    );
    await ended;
    const pairs = seen.map(({ steps }) => {
      const statusOf = (id: string) => Object.entries(steps).find(([each]) => each === id)?.[1].status;
      return `${statusOf('first') ?? '?'}, ${statusOf('then') ?? '?'}`;
    });
    expect([...new Set(pairs)]).toEqual([
      'pending, pending',
      'running, pending',
      'completed, pending',
      'completed, running',
      'completed, completed',
    ]);
  });

  it('PI6 a workflow that fails: one failed, none active', async () => {
    const breaks: Action = () => Promise.reject(new TabmeshError('tool_failed', 'it breaks'));
    const runs = peerRuns([step('a', [], { action: 'breaks' })], { breaks });
    await runs.start('w', {}).ended;
    expect(counts(runs)).toEqual({ active: 0, completed: 0, failed: 1 });
  });

  it('PI7 three workflows side by side end as completed, and none is active then', async () => {
    const gate = Promise.withResolvers<null>();
    const waits: Action = () => gate.promise;
    const runs = peerRuns([step('a', [], { action: 'waits' })], { waits });
    const started = [1, 2, 3].map(() => runs.start('w', {}));
    await Promise.all(started.map((run) => run.started));
    expect(counts(runs)).toEqual({ active: 3, completed: 0, failed: 0 });
    gate.resolve(null);
    await Promise.all(started.map((run) => run.ended));
    expect(counts(runs)).toEqual({ active: 0, completed: 3, failed: 0 });
  });
});
