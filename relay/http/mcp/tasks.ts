import type { McpServer } from '@modelcontextprotocol/server';
import type { McpObject } from '../../../src/contracts/mcp.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../../src/lib/errors.ts';
import { mcpError, toRpcError } from '../../../src/mesh/rpc/mcp-error.ts';
import { isObject, META } from '../../../src/mesh/rpc/mcp-wire.ts';
import { principalKey } from '../../../src/tools/access.ts';
import * as z from '../../../src/tools/zod.ts';
import type { Caller } from '../auth.ts';
import type { Front, FrontContext, ShownTool } from './front.ts';
import {
  LONG_TOOL_MS,
  MAX_ENDED_TASKS_PER_OWNER,
  MAX_TASKS,
  MAX_TASKS_PER_OWNER,
  TASK_AFTER_MS,
  TASK_SWEEP_MS,
} from './limits.ts';
import { protocolError } from './protocol-error.ts';
import { Task } from './task.ts';

/** The extension's id (SEP-2663). */
const EXTENSION = 'io.modelcontextprotocol/tasks';
const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
/** MCP 2026-07-28: the client lacks a capability that the request needs. */
const MISSING_CAPABILITY = -32_021;
const INVALID_PARAMS = -32_602;

/** A `tools/call` on its way. */
export interface ToolCall {
  readonly front: Front;
  readonly params: McpObject;
  readonly context: FrontContext;
}

/**
 * The tasks extension: a call that takes long goes on without its client, which asks for it by a handle. A handle is no
 * authority: it works for the principal that it was given to. Tasks live in this process, for a bounded time.
 */
export interface TaskHost {
  /** Makes the call: answers it, or begins a task when it takes long and the client speaks tasks. @throws as the front */
  call(call: ToolCall): Promise<McpObject>;
  /** @throws −32602 for a handle that is not this principal's */
  find(id: string, principal: Principal): Task;
  readonly size: number;
  /** a token was taken back: cancels its tasks, and forgets them */
  endOf(tokenId: string): void;
  /** cancels all */
  close(): void;
}

/** Makes an empty {@link TaskHost}. */
export function createTaskHost(clock: Clock): TaskHost {
  const tasks = new Map<string, Task>();
  const stop = new AbortController();

  const sweeping = async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(TASK_SWEEP_MS, stop.signal);
      for (const [id, task] of tasks) {
        if (!task.expired) continue;
        task.cancel();
        tasks.delete(id);
      }
    }
  };
  // it ends only by `stop`
  sweeping().catch(() => undefined);

  /** slots of calls that may yet become tasks, by owner: their client does not have a handle so far */
  const reserved = new Map<string, number>();
  let reservedInAll = 0;
  const reserve = (owner: string): (() => void) | null => {
    const running = [...tasks.values()].filter((task) => !task.ended);
    const mine = running.filter((task) => task.owner === owner).length + (reserved.get(owner) ?? 0);
    if (mine >= MAX_TASKS_PER_OWNER || running.length + reservedInAll >= MAX_TASKS) return null;
    reserved.set(owner, (reserved.get(owner) ?? 0) + 1);
    reservedInAll++;
    return () => {
      const left = (reserved.get(owner) ?? 1) - 1;
      if (left === 0) reserved.delete(owner);
      else reserved.set(owner, left);
      reservedInAll--;
    };
  };

  /** Answers that are kept make way for a task that begins, the oldest first, a principal's own before those of others. */
  const makeRoom = (owner: string) => {
    const ended = [...tasks].filter(([, task]) => task.ended);
    const own = ended.filter(([, task]) => task.owner === owner);
    for (const [id] of own.slice(0, Math.max(0, own.length - MAX_ENDED_TASKS_PER_OWNER + 1))) tasks.delete(id);
    for (const [id] of [...own, ...ended]) if (tasks.size >= MAX_TASKS) tasks.delete(id);
  };

  return {
    async call({ front, params, context }) {
      const support = taskSupport(front.tool(String(params['name'])));
      if (support === 'none') return await front.request('tools/call', params, context);
      if (!speaksTasks(params)) {
        if (support === 'required') throw lacksTasks();
        return await front.request('tools/call', params, context);
      }
      const owner = principalKey(context.principal);
      const release = reserve(owner);
      if (release === null) {
        if (support === 'required') throw tooMany();
        return await front.request('tools/call', params, context);
      }

      const task = new Task(owner, context.principal.kind === 'token' ? context.principal.tokenId : null, clock);
      const leave = linkAbort(context.signal, task.stop);
      let begun = false;
      const inTask: FrontContext = {
        ...context,
        signal: task.stop.signal,
        notify: (method, told) => {
          if (!begun) return context.notify(method, told);
          const { message } = told;
          if (method === 'notifications/progress' && typeof message === 'string') task.say(message);
          return true;
        },
      };
      const first = front.request('tools/call', params, inTask);
      let soon: McpObject | null;
      try {
        soon = await Promise.race([first, clock.sleep(TASK_AFTER_MS, task.stop.signal).then(() => null)]);
      } finally {
        leave();
        release();
      }
      // what is done in a moment needs no task
      if (soon !== null) return soon;
      begun = true;
      makeRoom(owner);
      tasks.set(task.id, task);
      void follow(task, front, params, inTask, first);
      return { resultType: 'task', ...task.shown() };
    },
    find(id, principal) {
      const task = tasks.get(id);
      if (task?.owner === principalKey(principal)) return task;
      throw mcpError(INVALID_PARAMS, 'there is no such task', { taskId: id });
    },
    get size() {
      return tasks.size;
    },
    endOf(tokenId) {
      for (const [id, task] of tasks) {
        if (task.tokenId !== tokenId) continue;
        task.cancel();
        tasks.delete(id);
      }
    },
    close() {
      stop.abort();
      for (const task of tasks.values()) task.cancel();
      tasks.clear();
    },
  };
}

/** Sees a call to its end, through every question that it has for the client. Its failure is the task's. */
async function follow(
  task: Task,
  front: Front,
  params: McpObject,
  context: FrontContext,
  first: Promise<McpObject>,
): Promise<void> {
  try {
    let result = await first;
    while (result['resultType'] === 'input_required') {
      const { inputRequests, requestState } = result;
      const inputResponses = await task.ask(isObject(inputRequests) ? inputRequests : {});
      const state = requestState === undefined ? {} : { requestState };
      result = await front.request('tools/call', { ...params, inputResponses, ...state }, context);
    }
    task.set({ status: 'completed', result });
  } catch (thrown) {
    const error = toTabmeshError(thrown);
    task.set({ status: 'failed', error: { ...toRpcError(error), message: error.message } });
  }
}

/** Adds `tasks/get`, `tasks/update` and `tasks/cancel` to a server. */
export function tasksOf(server: McpServer['server'], tasks: TaskHost, { principal }: Caller): void {
  const add = (method: string, serve: (task: Task, responses: McpObject) => Record<string, unknown>) => {
    const params = z.looseObject({ taskId: z.string() });
    server.setRequestHandler(method, { params }, (given, { mcpReq }) => {
      const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
      if (!declaresTasks(envelope[CLIENT_CAPABILITIES])) throw protocolError(lacksTasks());
      try {
        // the SDK has taken them out of the parameters
        return serve(tasks.find(given.taskId, principal), mcpReq.inputResponses ?? {});
      } catch (thrown) {
        throw protocolError(toTabmeshError(thrown));
      }
    });
  };
  add('tasks/get', (task) => task.details());
  add('tasks/update', (task, responses) => {
    task.answer(responses);
    return {};
  });
  add('tasks/cancel', (task) => {
    task.cancel();
    return {};
  });
}

/** Which tools become tasks: those that say so, and those that may take long. */
function taskSupport(tool: ShownTool | undefined): 'none' | 'optional' | 'required' {
  const said = tool?._meta?.[META.task];
  if (said === 'optional' || said === 'required') return said;
  const ours = tool?._meta?.[META.metadata];
  const timeoutMs = isObject(ours) ? ours['timeoutMs'] : undefined;
  return typeof timeoutMs === 'number' && timeoutMs >= LONG_TOOL_MS ? 'optional' : 'none';
}

function speaksTasks(params: McpObject): boolean {
  const meta = params['_meta'];
  return isObject(meta) && declaresTasks(meta[CLIENT_CAPABILITIES]);
}

function declaresTasks(capabilities: unknown): boolean {
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined;
  return isObject(extensions) && extensions[EXTENSION] !== undefined;
}

function lacksTasks() {
  return mcpError(MISSING_CAPABILITY, 'this needs a client that declares the tasks extension', {
    requiredCapabilities: { extensions: { [EXTENSION]: {} } },
  });
}

function tooMany(): TabmeshError {
  return new TabmeshError('rate_limited', 'too many tasks are running', {
    hint: 'Wait for one to end, or cancel it.',
    retryable: true,
  });
}

function linkAbort(signal: AbortSignal, controller: AbortController): () => void {
  const onAbort = () => {
    controller.abort(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
  };
}
