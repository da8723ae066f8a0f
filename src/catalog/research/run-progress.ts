import type { RunsPort } from '../../contracts/ports.ts';
import type { ToolProgress } from '../../contracts/tools.ts';
import type { StepProgress } from '../../contracts/workflow.ts';
import type { RunId } from '../../lib/ids.ts';

/** Callbacks to give to {@link RunsPort.run}. */
export interface RunProgress {
  readonly onStarted: (id: RunId) => void;
  readonly onProgress: (step: string, p: StepProgress) => void;
}

/**
 * Turns the progress of a run's steps into that of a tool: `progress` counts finished steps and the finished part of
 * the current one, `total` is the number of steps. It never falls, as MCP asks.
 */
export function runProgress(runs: Pick<RunsPort, 'get'>, report: (p: ToolProgress) => void): RunProgress {
  let run: RunId | undefined;
  let reached = 0;
  return {
    onStarted: (id) => {
      run = id;
    },
    onProgress: (step, { done, total, message }) => {
      const steps = run === undefined ? [] : (runs.get(run)?.definition.steps ?? []);
      const index = steps.findIndex(({ id }) => id === step);
      reached = Math.max(reached, Math.max(0, index) + finishedPart(done, total));
      const name = steps[index]?.name;
      report({
        progress: reached,
        total: steps.length === 0 ? null : steps.length,
        message: name === undefined || message === name ? message : `${name}: ${message}`,
      });
    },
  };
}

/** From 0 to 1. Of a step whose end is unknown it nears 1 without reaching it, so that more done is always more. */
function finishedPart(done: number, total: number | null): number {
  if (total === null) return 1 - 1 / (1 + Math.max(0, done));
  return total <= 0 ? 1 : Math.min(1, Math.max(0, done) / total);
}
