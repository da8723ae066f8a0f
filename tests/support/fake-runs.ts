import type { RunState, StepDefinition, StepState, WorkflowDefinition } from '../../src/contracts/workflow.ts';
import type { RunId, StepId } from '../../src/lib/ids.ts';
import { fakeCid } from './fake-data.ts';

const step = (id: string, name: string, action: string, dependsOn: string[] = []): StepDefinition => ({
  id: id as StepId,
  name,
  action,
  inputs: {},
  dependsOn: dependsOn as StepId[],
  timeoutMs: 60_000,
});

const DEFINITION: WorkflowDefinition = {
  id: 'collect_literature',
  version: '1',
  name: 'Collect literature',
  inputSchema: {},
  steps: [
    step('search', 'Search PubMed', 'pubmed.search'),
    step('fetch', 'Fetch records', 'pubmed.fetch', ['search']),
    step('dataset', 'Write dataset', 'dataset.write', ['fetch']),
    step('index', 'Index', 'search.index', ['dataset']),
  ],
  output: null,
};

type Shape = Pick<RunState, 'runId' | 'inputs' | 'createdAt'>;

/** A run as its fold would be: `at` says how far it is, 0 to 4 steps done; `end` how it ended. */
export function fakeRun(
  id: string,
  query: string,
  createdAt: number,
  at: number,
  end: 'running' | 'completed' | 'failed' | 'cancelled',
  done = 120,
): RunState {
  const base: Shape & { definition: WorkflowDefinition; steps: Record<StepId, StepState> } = {
    runId: id as RunId,
    definition: DEFINITION,
    inputs: { query, max_results: 400 },
    createdAt,
    steps: Object.fromEntries(DEFINITION.steps.map((s, n) => [s.id, stepState(n, at, end, createdAt, done)])),
  };
  const startedAt = createdAt;
  const endedAt = createdAt + 14_300;
  const dataset = fakeCid(0);
  const result = { dataset, manifest: fakeCid(5000), count: 207, bytes: 1_240_000, missing: 0, complete: true };
  if (end === 'completed') return { ...base, status: 'completed', startedAt, endedAt, result };
  if (end === 'failed') return { ...base, status: 'failed', startedAt, endedAt, error: THROTTLED };
  if (end === 'cancelled') return { ...base, status: 'cancelled', startedAt, endedAt, reason: 'cancelled by you' };
  return { ...base, status: 'running', startedAt };
}

const THROTTLED = {
  code: 'upstream_throttled',
  message: 'PubMed asked to slow down (429) and still did after 5 tries',
  hint: 'Wait a minute and try again; the records fetched before are kept.',
  retryable: true,
  details: { status: 429, retryAfterMs: 60_000 },
} as const;

function stepState(n: number, at: number, end: string, start: number, done: number): StepState {
  const startedAt = start + n * 2000;
  const endedAt = startedAt + 1800;
  if (end === 'completed' || n < at) return { status: 'completed', startedAt, endedAt, result: null };
  if (n > at) return end === 'failed' ? { status: 'skipped', because: 'fetch' as StepId } : { status: 'pending' };
  if (end === 'failed') return { status: 'failed', startedAt, endedAt, error: THROTTLED };
  if (end === 'cancelled') return { status: 'cancelled', endedAt };
  return { status: 'running', startedAt, progress: { done, total: 400, message: `${String(done)} of 400 records` } };
}
