import type { AccessClass, Runtime, ToolContext, ToolMetadata } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import { toolJsonSchema } from './json-schema.ts';
import { MAX_CALL_MS } from './limits.ts';
import { validateAnswer, validateArguments } from './validate.ts';
import type * as z from './zod.ts';

/** snake_case, within what every MCP client takes as a tool name */
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const DEFAULT_PRIORITY = 5;
const HIGHEST_PRIORITY = 10;

/** A value that may be handed on but not changed: what a tool gives back may be somebody's snapshot. */
type Immutable<T> = T extends readonly (infer E)[]
  ? readonly Immutable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;

export interface ToolDefinition<I extends z.ZodMiniObject, O extends z.ZodMiniObject> {
  readonly name: string;
  readonly category: string;
  readonly title: string;
  /** what it does, when to choose it and what comes back, for a client that has only this to go by */
  readonly description: string;
  readonly access: AccessClass;
  readonly runtime: Runtime;
  /** the same call twice does no more than once: lets the router try another place after a failure */
  readonly idempotent: boolean;
  /** it reaches services outside the room */
  readonly openWorld?: boolean;
  /** it changes or deletes what exists */
  readonly destructive?: boolean;
  /** 0–10, higher is sooner */
  readonly priority?: number;
  readonly schemaVersion?: string;
  /** deadline of a call, milliseconds */
  readonly timeoutMs: number;
  /** a strict object: unknown arguments are refused */
  readonly input: I;
  /** a strict object */
  readonly output: O;
  run(context: ToolContext, args: z.output<I>): Promise<Immutable<z.input<O>>>;
}

/** A call whose arguments are checked. Runs once; rejects with `invalid_output` when the answer breaks the schema. */
export type PreparedCall = (context: ToolContext) => Promise<unknown>;

/** A tool that this peer can run. */
export interface Tool {
  readonly metadata: ToolMetadata;
  /** @throws `invalid_input` */
  prepare(args: unknown): PreparedCall;
  /** checks an answer to this tool, whoever gave it. @throws `invalid_output` */
  checkAnswer(answer: unknown): unknown;
}

/**
 * Makes a tool of its definition; the JSON Schemas are derived here, once.
 * @throws `invalid_input` when the definition itself is not sound: a bad name, no description, an object that lets
 *   unknown fields pass, a deadline or a priority out of range
 */
export function defineTool<I extends z.ZodMiniObject, O extends z.ZodMiniObject>(
  definition: ToolDefinition<I, O>,
): Tool {
  const { name, input, output } = definition;
  const metadata: ToolMetadata = {
    name,
    category: definition.category,
    description: definition.description,
    runtime: definition.runtime,
    access: definition.access,
    annotations: {
      title: definition.title,
      readOnlyHint: definition.access === 'read',
      destructiveHint: definition.destructive ?? false,
      idempotentHint: definition.idempotent,
      openWorldHint: definition.openWorld ?? false,
    },
    inputSchema: toolJsonSchema(input, 'input'),
    outputSchema: toolJsonSchema(output, 'output'),
    priority: definition.priority ?? DEFAULT_PRIORITY,
    timeoutMs: definition.timeoutMs,
    schemaVersion: definition.schemaVersion ?? '1.0',
  };
  checkSound(metadata);
  return {
    metadata,
    prepare(args) {
      const checked = validateArguments(name, input, args);
      return async (context) => validateAnswer(name, output, await definition.run(context, checked));
    },
    checkAnswer: (answer) => validateAnswer(name, output, answer),
  };
}

function checkSound(tool: ToolMetadata): void {
  const faults = [
    NAME.test(tool.name) ? null : 'its name is not snake_case of at most 64 characters',
    tool.category === '' ? 'it has no category' : null,
    tool.annotations.title === '' ? 'it has no title' : null,
    tool.description === '' ? 'it has no description' : null,
    tool.inputSchema['additionalProperties'] === false ? null : 'its input lets unknown fields pass',
    tool.outputSchema['additionalProperties'] === false ? null : 'its output lets unknown fields pass',
    tool.timeoutMs > 0 && tool.timeoutMs <= MAX_CALL_MS ? null : 'its deadline is out of range',
    Number.isInteger(tool.priority) && tool.priority >= 0 && tool.priority <= HIGHEST_PRIORITY
      ? null
      : 'its priority is not a whole number from 0 to 10',
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new TabmeshError('invalid_input', `the tool "${tool.name}" is not well defined: ${faults.join(', ')}`, {
    hint: 'Correct its definition.',
    details: { faults },
  });
}
