import { describe, expect, it } from 'vitest';
import type { Front } from '../../../relay/http/mcp/front.ts';
import {
  LONG_TOOL_MS,
  MAX_ENDED_TASKS_PER_OWNER,
  MAX_TASKS,
  MAX_TASKS_PER_OWNER,
  TASK_AFTER_MS,
  TASK_SWEEP_MS,
  TASK_TTL_MS,
} from '../../../relay/http/mcp/limits.ts';
import { createTaskHost, type TaskHost } from '../../../relay/http/mcp/tasks.ts';
import type { McpObject } from '../../../src/contracts/mcp.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { soon } from '../../support/soon.ts';

const principal = (tokenId: string): Principal => ({ kind: 'token', tokenId, name: tokenId, relay: 'r' as PeerId });
const DECLARED = {
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
};
const elicit = { method: 'elicitation/create', params: {} };

type Run = (params: McpObject, signal: AbortSignal) => Promise<McpObject>;

/** A front with one tool. */
const frontOf = (run: Run, meta: Record<string, unknown> = { 'tabmesh/task': 'optional' }): Front => ({
  discover: () => ({ serverInfo: { name: 'f', version: '1' }, capabilities: { tools: {} } }),
  prepare: () => Promise.resolve(),
  tool: () => ({ name: 'long', inputSchema: { type: 'object' }, _meta: meta }),
  toolsChanged: () => undefined,
  request: (_method, params, { signal }) => run(params, signal),
  close: () => undefined,
});

function setUp() {
  const clock = manualClock();
  const host = createTaskHost(clock);
  const call = async (front: Front, options: { meta?: object; tokenId?: string; signal?: AbortSignal } = {}) => {
    const answer = host.call({
      front,
      params: { name: 'long', _meta: options.meta ?? DECLARED },
      context: {
        principal: principal(options.tokenId ?? 'me'),
        caller: null,
        signal: options.signal ?? new AbortController().signal,
        notify: () => true,
      },
    });
    // it is awaited below; a failure before that is not unhandled
    answer.catch(() => undefined);
    await clock.advance(TASK_AFTER_MS);
    return await answer;
  };
  return { clock, host, call };
}

const never = new Promise<McpObject>(() => undefined);
const details = (host: TaskHost, begun: McpObject, tokenId = 'me') =>
  host.find(String(begun['taskId']), principal(tokenId)).details();

describe('tasks', () => {
  it('are begun when a call takes longer than a moment', async () => {
    const { host, call } = setUp();
    expect(await call(frontOf(() => Promise.resolve({ content: [] })))).toEqual({ content: [] });
    expect(host.size).toBe(0);
    const begun = await call(frontOf(() => never));
    expect(begun).toMatchObject({ resultType: 'task', status: 'working', ttlMs: TASK_TTL_MS });
    expect(details(host, begun)).toMatchObject({ status: 'working' });
    host.close();
  });

  it('are for tools that say so or may take long, and for clients that declare the extension', async () => {
    const { host, call } = setUp();
    const slow = Promise.withResolvers<McpObject>();
    const answers = [
      call(
        frontOf(() => slow.promise, {}),
        {},
      ),
      call(
        frontOf(() => slow.promise, { 'tabmesh/metadata': { timeoutMs: LONG_TOOL_MS - 1 } }),
        {},
      ),
      call(
        frontOf(() => slow.promise),
        { meta: {} },
      ),
    ];
    slow.resolve({ content: [] });
    expect(await Promise.all(answers)).toEqual([{ content: [] }, { content: [] }, { content: [] }]);
    const long = frontOf(() => never, { 'tabmesh/metadata': { timeoutMs: LONG_TOOL_MS } });
    expect(await call(long)).toMatchObject({ resultType: 'task' });
    const required = frontOf(() => never, { 'tabmesh/task': 'required' });
    await expect(call(required, { meta: {} })).rejects.toMatchObject({
      details: { rpcCode: -32_021, rpcData: { requiredCapabilities: { extensions: expect.anything() as unknown } } },
    });
    host.close();
  });

  it('ask, go on when every question is answered, and take answers one by one', async () => {
    const { host, call } = setUp();
    const gate = Promise.withResolvers<undefined>();
    const seen: McpObject[] = [];
    const front = frontOf(async (params) => {
      seen.push(params);
      await gate.promise;
      if (params['inputResponses'] !== undefined) return { content: [{ type: 'text', text: 'thanks' }] };
      return { resultType: 'input_required', inputRequests: { a: elicit, b: elicit }, requestState: 's' };
    });
    const begun = await call(front);
    gate.resolve(undefined);
    await soon(() => details(host, begun)).toMatchObject({
      status: 'input_required',
      inputRequests: { a: elicit, b: elicit },
    });
    const task = host.find(String(begun['taskId']), principal('me'));
    task.answer({ a: { action: 'accept' }, other: { action: 'accept' } });
    expect(task.details()).toMatchObject({ status: 'input_required', inputRequests: { b: elicit } });
    expect(task.details()['inputRequests']).not.toHaveProperty('a');
    task.answer({ b: { action: 'decline' } });
    await soon(() => task.details()).toMatchObject({
      status: 'completed',
      result: { content: [{ text: 'thanks' }] },
    });
    expect(seen[1]).toMatchObject({
      inputResponses: { a: { action: 'accept' }, b: { action: 'decline' } },
      requestState: 's',
    });
    host.close();
  });

  it('tell a failure of the protocol from a tool that failed', async () => {
    const { host, call } = setUp();
    const first = Promise.withResolvers<McpObject>();
    const broken = await call(frontOf(() => first.promise));
    first.reject(new Error('broke'));
    await soon(() => details(host, broken)).toMatchObject({ status: 'failed', error: { code: -32_603 } });
    const second = Promise.withResolvers<McpObject>();
    const failed = await call(frontOf(() => second.promise));
    second.resolve({ content: [], isError: true });
    await soon(() => details(host, failed)).toMatchObject({ status: 'completed', result: { isError: true } });
    host.close();
  });

  it('outlive the request that began them, but not their cancellation', async () => {
    const { host, call } = setUp();
    const request = new AbortController();
    const signals: AbortSignal[] = [];
    const begun = await call(
      frontOf((_params, signal) => {
        signals.push(signal);
        return never;
      }),
      { signal: request.signal },
    );
    request.abort();
    expect(signals[0]?.aborted).toBe(false);
    host.find(String(begun['taskId']), principal('me')).cancel();
    expect(signals[0]?.aborted).toBe(true);
    expect(details(host, begun)).toMatchObject({ status: 'cancelled' });
    host.close();
  });

  it('are not begun for a client that left before', async () => {
    const { host, call } = setUp();
    const request = new AbortController();
    request.abort(new Error('gone'));
    await expect(
      call(
        frontOf(() => never),
        { signal: request.signal },
      ),
    ).rejects.toThrow('gone');
    expect(host.size).toBe(0);
    host.close();
  });

  it('are bounded for each token, and end with it', async () => {
    const { host, call } = setUp();
    for (let n = 0; n < MAX_TASKS_PER_OWNER; n++) await call(frontOf(() => never));
    expect(host.size).toBe(MAX_TASKS_PER_OWNER);
    // one more is answered when it is done
    expect(await call(frontOf(() => Promise.resolve({ content: [] })))).toEqual({ content: [] });
    await expect(call(frontOf(() => never, { 'tabmesh/task': 'required' }))).rejects.toMatchObject({
      code: 'rate_limited',
    });
    const other = await call(
      frontOf(() => never),
      { tokenId: 'other' },
    );
    expect(other).toMatchObject({ resultType: 'task' });
    expect(() => details(host, other, 'me')).toThrow(/no such task/);
    host.endOf('me');
    expect(host.size).toBe(1);
    host.close();
  });

  it('are bounded as well when many begin at once', async () => {
    const { clock, host } = setUp();
    const begin = () =>
      host.call({
        front: frontOf(() => never, { 'tabmesh/task': 'required' }),
        params: { name: 'long', _meta: DECLARED },
        context: { principal: principal('me'), caller: null, signal: new AbortController().signal, notify: () => true },
      });
    const all = Promise.allSettled(Array.from({ length: 140 }, begin));
    await clock.advance(TASK_AFTER_MS);
    const begun = (await all).filter(({ status }) => status === 'fulfilled');
    expect([begun.length, host.size]).toEqual([MAX_TASKS_PER_OWNER, MAX_TASKS_PER_OWNER]);
    host.close();
  });

  it('that have ended make way: a few are kept for each token, and a full host takes another', async () => {
    const { host, call } = setUp();
    const end = async (tokenId: string) => {
      const run = Promise.withResolvers<McpObject>();
      const begun = await call(
        frontOf(() => run.promise),
        { tokenId },
      );
      run.resolve({ content: [] });
      await soon(() => details(host, begun, tokenId)).toMatchObject({ status: 'completed' });
      return begun;
    };
    const first = await end('me');
    for (let n = 0; n < MAX_ENDED_TASKS_PER_OWNER; n++) await end('me');
    expect(host.size).toBe(MAX_ENDED_TASKS_PER_OWNER);
    expect(() => details(host, first)).toThrow(/no such task/);
    for (let n = MAX_ENDED_TASKS_PER_OWNER; n < MAX_TASKS; n++) await end(`other-${String(n)}`);
    expect(host.size).toBe(MAX_TASKS);
    const running = await call(
      frontOf(() => never),
      { tokenId: 'late' },
    );
    expect(running).toMatchObject({ resultType: 'task' });
    expect(host.size).toBe(MAX_TASKS);
    host.close();
  });

  it('give back the place of a call that was answered at once', async () => {
    const { host, call } = setUp();
    for (let n = 0; n <= MAX_TASKS_PER_OWNER; n++) await call(frontOf(() => Promise.resolve({ content: [] })));
    expect(await call(frontOf(() => never))).toMatchObject({ resultType: 'task' });
    host.close();
  });

  it('are kept for as long as they say, and no longer', async () => {
    const { clock, host, call } = setUp();
    const begun = await call(frontOf(() => never));
    await clock.advance(TASK_TTL_MS - TASK_AFTER_MS - 1);
    expect(details(host, begun)).toMatchObject({ status: 'working' });
    await clock.advance(TASK_SWEEP_MS + 1);
    expect(() => details(host, begun)).toThrow(/no such task/);
    host.close();
  });
});
