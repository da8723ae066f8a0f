import type { StepDefinition, WorkflowDefinition } from '../contracts/workflow.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { StepId } from '../lib/ids.ts';
import { placeholdersIn } from './placeholders.ts';
import { checkSchema } from './schema.ts';

/** Steps of a definition: far above what a person writes, low enough that checking one takes milliseconds. */
export const MAX_STEPS = 1_000;
/** A word that a placeholder can name: no dots, no braces. */
const STEP_ID = /^[A-Za-z][\w-]{0,99}$/;

type Steps = ReadonlyMap<StepId, StepDefinition>;

/**
 * Checks a definition as a whole: step ids, time limits, dependencies, cycles, placeholders, input schema.
 * @returns its steps in an order in which each comes after what it depends on; of the steps that could come next, the
 *   one written first does, so the order is always the same
 * @throws `invalid_input` that says which step is wrong
 */
export function orderSteps(definition: WorkflowDefinition): readonly StepDefinition[] {
  const steps = indexSteps(definition.steps);
  checkDependencies(steps);
  const ordered = topologicalOrder(definition.steps);
  if (ordered.length < steps.size) throw invalid(`steps wait for each other: ${findCycle(steps).join(' → ')}`);
  for (const step of ordered) checkPlaceholders(step.inputs, `step "${step.id}"`, ancestorsOf(step, steps));
  checkPlaceholders(definition.output, 'the output', new Set(steps.keys()));
  checkSchema(definition.inputSchema);
  return ordered;
}

function indexSteps(steps: readonly StepDefinition[]): Steps {
  if (steps.length > MAX_STEPS) throw invalid(`there are ${steps.length} steps, more than ${MAX_STEPS}`);
  const index = new Map<StepId, StepDefinition>();
  for (const step of steps) {
    if (!STEP_ID.test(step.id)) throw invalid(`"${step.id}" cannot be the id of a step`);
    if (index.has(step.id)) throw invalid(`two steps have the id "${step.id}"`);
    if (!Number.isFinite(step.timeoutMs) || step.timeoutMs <= 0) {
      throw invalid(`the time limit of step "${step.id}" is ${step.timeoutMs} ms`);
    }
    index.set(step.id, step);
  }
  return index;
}

function checkDependencies(steps: Steps): void {
  for (const step of steps.values()) {
    const unknown = step.dependsOn.find((id) => !steps.has(id));
    if (unknown !== undefined) throw invalid(`step "${step.id}" depends on "${unknown}", which does not exist`);
  }
}

/** Kahn's algorithm; steps on a cycle, or behind one, are left out. */
function topologicalOrder(steps: readonly StepDefinition[]): readonly StepDefinition[] {
  const ordered: StepDefinition[] = [];
  const done = new Set<StepId>();
  for (;;) {
    const next = steps.find((step) => !done.has(step.id) && step.dependsOn.every((id) => done.has(id)));
    if (next === undefined) return ordered;
    done.add(next.id);
    ordered.push(next);
  }
}

/** The steps of one cycle in the order of dependence, the first repeated at the end. There must be one. */
function findCycle(steps: Steps): readonly StepId[] {
  const finished = new Set<StepId>();
  const path: StepId[] = [];
  const visit = (id: StepId): readonly StepId[] | undefined => {
    const at = path.indexOf(id);
    if (at >= 0) return [...path.slice(at), id];
    if (finished.has(id)) return undefined;
    path.push(id);
    for (const dependency of steps.get(id)?.dependsOn ?? []) {
      const cycle = visit(dependency);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    finished.add(id);
    return undefined;
  };
  for (const id of steps.keys()) {
    const cycle = visit(id);
    if (cycle !== undefined) return cycle;
  }
  return [];
}

/** All steps that a step comes after, directly or through others. */
function ancestorsOf(step: StepDefinition, steps: Steps): ReadonlySet<StepId> {
  const found = new Set<StepId>();
  const open = [...step.dependsOn];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(steps.get(next)?.dependsOn ?? []));
  }
  return found;
}

function checkPlaceholders(
  template: WorkflowDefinition['output'],
  where: string,
  available: ReadonlySet<StepId>,
): void {
  for (const { text, step } of placeholdersIn(template)) {
    if (step !== null && !available.has(step)) {
      throw invalid(`${where} uses ${text}, but does not depend on a step "${step}"`);
    }
  }
}

function invalid(problem: string): TabmeshError {
  return new TabmeshError('invalid_input', `this is not a workflow that can run: ${problem}`);
}
