import type { Ports } from '../contracts/ports.ts';
import type { ToolContext } from '../contracts/tool-context.ts';
import type { AccessClass, RetryPolicy, Runtime, ToolMetadata } from '../contracts/tools.ts';
import { METADATA_DEFAULTS } from '../contracts/tools.ts';
import { toolJsonSchema } from './json-schema.ts';
import { checkMetadata } from './metadata.ts';
import { validateAnswer, validateArguments } from './validate.ts';
import type * as z from './zod.ts';

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
  /** see {@link ToolMetadata} for what these mean */
  readonly requiresP2p?: boolean;
  readonly retry?: RetryPolicy;
  readonly memoryIntensive?: boolean;
  readonly cpuIntensive?: boolean;
  readonly ioIntensive?: boolean;
  /** only of a tool that reads */
  readonly cacheTtlMs?: number;
  readonly deprecation?: string;
  readonly sticky?: string;
  readonly local?: boolean;
  /** a strict object: unknown arguments are refused */
  readonly input: I;
  /** a strict object */
  readonly output: O;
  /**
   * Looks whether the call can do anything here, before a person is asked about it. Only of a tool that changes what exists.
   * @throws what `run` would
   */
  precheck?(ports: Ports, args: z.output<I>): void;
  run(context: ToolContext, args: z.output<I>): Promise<Immutable<z.input<O>>>;
}

/** A call whose arguments are checked. Runs once; rejects with `invalid_output` when the answer breaks the schema. */
export interface PreparedCall {
  (context: ToolContext): Promise<unknown>;
  /** whether it can do anything, before a person is asked. @throws what the call would */
  readonly precheck?: (ports: Ports) => void;
}

/** A tool that this peer can run. */
export interface Tool {
  readonly metadata: ToolMetadata;
  /** @throws `invalid_input` */
  prepare(args: unknown): PreparedCall;
  /** checks an answer to this tool, whoever gave it. @throws `invalid_output` */
  checkAnswer(answer: unknown): unknown;
}

/**
 * Makes a tool of its definition; the JSON Schemas are derived here, once. Its metadata cannot be changed afterwards.
 * @throws `invalid_input` when the definition itself is not sound: see {@link checkMetadata}; no title or description, an
 *   object that lets unknown fields pass
 */
export function defineTool<I extends z.ZodMiniObject, O extends z.ZodMiniObject>(
  definition: ToolDefinition<I, O>,
): Tool {
  const { name, input, output } = definition;
  const metadata = metadataOf(definition);
  checkMetadata(metadata, [
    metadata.annotations.title === '' ? 'it has no title' : null,
    metadata.description === '' ? 'it has no description' : null,
    metadata.inputSchema['additionalProperties'] === false ? null : 'its input lets unknown fields pass',
    metadata.outputSchema['additionalProperties'] === false ? null : 'its output lets unknown fields pass',
  ]);
  return {
    metadata,
    prepare(args) {
      const checked = validateArguments(name, input, args);
      const run = async (context: ToolContext) => validateAnswer(name, output, await definition.run(context, checked));
      if (definition.precheck === undefined) return run;
      return Object.assign(run, { precheck: (ports: Ports) => definition.precheck?.(ports, checked) });
    },
    checkAnswer: (answer) => validateAnswer(name, output, answer),
  };
}

function metadataOf<I extends z.ZodMiniObject, O extends z.ZodMiniObject>(
  definition: ToolDefinition<I, O>,
): ToolMetadata {
  const { name, category, description, runtime, access, timeoutMs } = definition;
  return Object.freeze({
    name,
    category,
    description,
    runtime,
    access,
    timeoutMs,
    annotations: Object.freeze({
      title: definition.title,
      readOnlyHint: access === 'read',
      destructiveHint: definition.destructive ?? false,
      idempotentHint: definition.idempotent,
      openWorldHint: definition.openWorld ?? false,
    }),
    inputSchema: Object.freeze(toolJsonSchema(definition.input, 'input')),
    outputSchema: Object.freeze(toolJsonSchema(definition.output, 'output')),
    priority: definition.priority ?? METADATA_DEFAULTS.priority,
    schemaVersion: definition.schemaVersion ?? METADATA_DEFAULTS.schemaVersion,
    requiresP2p: definition.requiresP2p ?? false,
    retry: definition.retry ?? 'none',
    memoryIntensive: definition.memoryIntensive ?? false,
    cpuIntensive: definition.cpuIntensive ?? false,
    ioIntensive: definition.ioIntensive ?? false,
    cacheTtlMs: definition.cacheTtlMs ?? null,
    deprecation: definition.deprecation ?? null,
    sticky: definition.sticky ?? null,
    local: definition.local ?? false,
  });
}
