import { describe, expect, it } from 'vitest';
import type { RunEvent, WorkflowDefinition } from '../../../src/contracts/workflow.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createProcessHold } from '../../../src/mesh/storage/hold.ts';
import type { RunExecutor } from '../../../src/peer/room/run-book.ts';
import { RunBook } from '../../../src/peer/room/run-book.ts';

const WORKFLOW: WorkflowDefinition = {
  id: 'w',
  version: '1.0.0',
  name: 'w',
  inputSchema: { type: 'object' },
  steps: [],
  output: null,
};

function book(execute: RunExecutor['execute']): RunBook {
  const executor: RunExecutor = { execute, load: () => Promise.resolve([]), delete: () => Promise.resolve() };
  return new RunBook(executor, [WORKFLOW], createProcessHold(), silentLog);
}

describe('the runs of a device', () => {
  it('that cannot even be written down are told to whoever starts them', async () => {
    const full = new TabmeshError('quota_exceeded', 'no room');
    const runs = book(() => Promise.reject(full));
    const { started, ended } = runs.start('w', {});
    await expect(started).rejects.toBe(full);
    await expect(ended).rejects.toBe(full);
    expect(runs.list()).toEqual([]);
  });

  it('whose worker dies are seen to have failed, and can be deleted', async () => {
    const runs = book((definition, inputs, { runId, onEvent }) => {
      const events: RunEvent[] = [
        { seq: 0, at: 1, type: 'run_created', runId, definition, inputs },
        { seq: 1, at: 2, type: 'run_started' },
      ];
      for (const event of events) onEvent(event);
      return Promise.reject(new TabmeshError('internal', 'the worker is gone'));
    });
    const { id, started, ended } = runs.start('w', {});
    await started;
    await expect(ended).rejects.toThrow('gone');
    expect(runs.get(id)).toMatchObject({ status: 'failed', error: { message: 'the worker is gone' } });
    await runs.delete(id);
    expect(runs.list()).toEqual([]);
  });

  it('of a workflow that nobody knows are refused', () => {
    expect(() => book(() => Promise.reject(new Error('not reached'))).start('other', {})).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });
});
