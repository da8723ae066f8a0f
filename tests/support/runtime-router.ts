import type { Runtime, ToolMetadata } from '../../src/contracts/tools.ts';
import { RUNTIME_ALIASES, RUNTIMES } from '../../src/contracts/tools.ts';
import { monotonicNow, systemClock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { Log } from '../../src/lib/log.ts';
import { silentLog } from '../../src/lib/log.ts';
import { readToolMetadata } from '../../src/mesh/rpc/tool-metadata.ts';
import { ToolMetrics } from '../../src/monitor/tool-metrics.ts';
import type { ToolRegistry } from '../../src/tools/registry.ts';
import { createRuntimeDetector, type RuntimeDetector } from '../../src/tools/runtime.ts';

/** A function as the original's router is given it: with its attributes, its module, its record. */
export type Callable = ((...args: never[]) => unknown) & {
  readonly runtime?: string;
  readonly module?: string;
  readonly metadata?: ToolMetadata;
};

export interface RuntimeRouterOptions {
  readonly defaultRuntime?: Runtime;
  readonly enableMetrics?: boolean;
  readonly enableMemoryTracking?: boolean;
  readonly registry?: ToolRegistry | null;
  readonly log?: Log;
}

/**
 * The original's `RuntimeRouter` as a view of ours, for the cases of `spec/9` that are told in its terms: it takes functions,
 * its default is `relay`, it is started and stopped. Detection, metadata and metrics are the product's.
 */
export class RuntimeRouter {
  readonly options: Required<RuntimeRouterOptions>;
  readonly metrics: ToolMetrics;
  running = false;
  readonly #explicit = new Map<string, Runtime>();
  readonly #detected = new Map<string, Runtime>();
  readonly #detector: RuntimeDetector;

  constructor(options: RuntimeRouterOptions = {}) {
    const { defaultRuntime = 'relay', enableMetrics = true, enableMemoryTracking = false } = options;
    const { registry = null, log = silentLog } = options;
    this.options = { defaultRuntime, enableMetrics, enableMemoryTracking, registry, log };
    this.metrics = new ToolMetrics({ clock: systemClock, enabled: enableMetrics });
    this.#detector = createRuntimeDetector({
      byDefault: defaultRuntime,
      declared: (tool) => this.#explicit.get(tool) ?? registry?.get(tool)?.metadata.runtime,
    });
  }

  startup(): void {
    if (this.running) this.options.log.warn('router is already running');
    this.running = true;
  }

  shutdown(): void {
    this.running = false;
  }

  detect(tool: string, fn: Callable | null): Runtime {
    if (fn === null) return this.#detector.detect(tool, undefined);
    const read = readToolMetadata(tool, {}, { runtime: fn.runtime, module: fn.module });
    const runtime = this.#detector.detect(tool, fn.metadata?.runtime ?? read.runtime);
    this.#detected.set(tool, runtime);
    return runtime;
  }

  register(tool: string, name: string): void {
    const runtime = RUNTIME_ALIASES[name] ?? RUNTIMES.find((each) => each === name);
    if (runtime === undefined) throw new TabmeshError('invalid_input', `"${name}" is no runtime`);
    this.#explicit.set(tool, runtime);
    this.#detector.invalidate();
  }

  /** @returns how many it has taken */
  registerAll(): number {
    const tools = this.options.registry?.list().filter(({ metadata }) => metadata.runtime !== 'auto') ?? [];
    for (const { metadata } of tools) this.register(metadata.name, metadata.runtime);
    return tools.length;
  }

  runtimeOf(tool: string): Runtime | null {
    return this.#explicit.get(tool) ?? this.#detected.get(tool) ?? null;
  }

  listByRuntime(runtime: Runtime): string[] {
    const all = new Map([...this.#detected, ...this.#explicit]);
    return [...all].filter(([, each]) => each === runtime).map(([tool]) => tool);
  }

  async route<A extends never[], R>(tool: string, fn: (...args: A) => R | Promise<R>, ...args: A): Promise<R> {
    if (!this.running) throw new TabmeshError('conflict', 'the router is not started');
    const runtime = this.detect(tool, fn);
    const startedAt = monotonicNow(systemClock);
    let ok = false;
    try {
      const result = await fn(...args);
      ok = true;
      return result;
    } finally {
      const ms = monotonicNow(systemClock) - startedAt;
      this.metrics.book({ tool, runtime: runtime === 'auto' ? 'unknown' : runtime, place: null, ms, ok });
    }
  }

  toString(): string {
    const state = this.running ? 'running' : 'stopped';
    const tools = new Set([...this.#explicit.keys(), ...this.#detected.keys()]).size;
    return `RuntimeRouter(default=${this.options.defaultRuntime}, ${state}, tools=${String(tools)})`;
  }
}

/** The factory: a router that runs. */
export function startRuntimeRouter(options: RuntimeRouterOptions = {}): RuntimeRouter {
  const router = new RuntimeRouter(options);
  router.startup();
  return router;
}
