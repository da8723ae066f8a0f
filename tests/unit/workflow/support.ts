import fc from 'fast-check';
import type {
  Action,
  Json,
  RunEvent,
  RunState,
  RunStore,
  StepDefinition,
  WorkflowDefinition,
} from '../../../src/contracts/workflow.ts';
import type { RunId, StepId } from '../../../src/lib/ids.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createEngine, type StartOptions } from '../../../src/workflow/engine.ts';
import { createRunStore } from '../../../src/workflow/store.ts';
import { manualClock } from '../../support/manual-clock.ts';

const NEVER = new AbortController().signal;
export const RUN = 'run-1' as RunId;

export function id(text: string): StepId {
  return text as StepId;
}

export function step(
  name: string,
  dependsOn: readonly string[] = [],
  changes: Partial<StepDefinition> = {},
): StepDefinition {
  return {
    id: id(name),
    name: `Step ${name}`,
    action: 'echo',
    inputs: name,
    dependsOn: dependsOn.map(id),
    timeoutMs: 60_000,
    ...changes,
  };
}

export function workflow(steps: readonly StepDefinition[], output: Json = null): WorkflowDefinition {
  return { id: 'test', version: '1.0.0', name: 'Test', inputSchema: { type: 'object' }, steps, output };
}

/** An engine over a memory store and a clock that stands still, and what it announces. */
export function bench(actions: Readonly<Record<string, Action>> = {}, wrap: (store: RunStore) => RunStore = (s) => s) {
  const kv = createMemoryStore();
  const store = wrap(createRunStore(kv));
  const clock = manualClock(1_000);
  const all: Readonly<Record<string, Action>> = { echo: (inputs) => Promise.resolve(inputs), ...actions };
  const engine = createEngine({ actions: all, store, clock });
  const events: RunEvent[] = [];
  const states: RunState[] = [];
  const start = (definition: WorkflowDefinition, options: Partial<StartOptions> = {}, inputs: Json = {}) =>
    engine.start(definition, inputs, {
      runId: RUN,
      signal: NEVER,
      onEvent: (event, state) => {
        events.push(event);
        states.push(state);
      },
      ...options,
    });
  return { engine, kv, store, clock, events, states, start };
}

/** Definitions without cycles, their steps in an arbitrary order. */
export const anyDag: fc.Arbitrary<WorkflowDefinition> = fc
  .integer({ min: 0, max: 12 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, n) => fc.subarray(Array.from({ length: n }, (__, before) => `s${before}`))),
    ),
  )
  .chain((dependencies) => {
    const steps = dependencies.map((dependsOn, n) => step(`s${n}`, dependsOn));
    return fc.shuffledSubarray(steps, { minLength: steps.length });
  })
  .map((steps) => workflow(steps));

/** An action that runs until its signal fires, and tells when it has begun. */
export function stuckAction() {
  let begin: (signal: AbortSignal) => void = () => undefined;
  const begun = new Promise<AbortSignal>((resolve) => {
    begin = resolve;
  });
  const action: Action = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      begin(signal);
    });
  return { action, begun };
}
