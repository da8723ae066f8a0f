import type { Ports } from '../contracts/ports.ts';
import type { CallBook } from '../contracts/tool-metrics.ts';
import type { CallCounters, CallOptions, ToolMetadata, ToolProgress } from '../contracts/tools.ts';
import { monotonicNow, type Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';
import { toTabmeshError } from '../lib/errors.ts';
import { createCallTally } from './counters.ts';
import type { ArrivingCall, Guard } from './guard.ts';
import { MAX_CALL_MS } from './limits.ts';
import type { ToolRegistry } from './registry.ts';
import { asBegun } from './remote.ts';

/** The tools of this peer, as the router and the peers that call over the wire use them. */
export interface LocalTools {
  /** ordered by name */
  list(): readonly ToolMetadata[];
  /**
   * Runs one call here: guard, deadline, tool, check of the answer.
   * @returns the answer, which fits the output schema
   * @throws what {@link Guard.admit} refuses with; `timeout`, `cancelled`; `invalid_output`; the tool's own TabmeshError;
   *   `tool_failed` for whatever else the tool throws
   */
  call(request: ArrivingCall, options?: CallOptions): Promise<unknown>;
  /**
   * Checks an answer that another peer gave to a tool which this peer knows in the same version; any other passes.
   * @throws `invalid_output`
   */
  checkAnswer(metadata: Pick<ToolMetadata, 'name' | 'schemaVersion'>, answer: unknown): unknown;
  readonly counters: CallCounters;
  subscribe(listener: () => void): () => void;
}

export interface LocalToolsOptions {
  readonly registry: ToolRegistry;
  readonly guard: Guard;
  readonly ports: Ports;
  readonly clock: Clock;
  /** told of every run here, whoever called */
  readonly book?: CallBook;
}

/** Makes the {@link LocalTools} of a peer. */
export function createLocalTools({ registry, guard, ports, clock, book }: LocalToolsOptions): LocalTools {
  const tally = createCallTally();
  return {
    list: () => registry.list().map(({ metadata }) => metadata),
    subscribe: (listener) => registry.subscribe(listener),
    counters: tally,
    checkAnswer({ name, schemaVersion }, answer) {
      const tool = registry.get(name);
      return tool?.metadata.schemaVersion === schemaVersion ? tool.checkAnswer(answer) : answer;
    },
    async call(request, options = {}) {
      const admission = guard.admit(request, options);
      const { tool, run, release } = admission instanceof Promise ? await admission : admission;
      const { name, timeoutMs } = tool.metadata;
      const deadline = startDeadline({
        clock,
        ms: callLimit(options.timeoutMs, timeoutMs),
        what: name,
        signal: options.signal,
      });
      let ended = false;
      const startedAt = monotonicNow(clock);
      const booked = (ok: boolean) => {
        if (book === undefined) return;
        const { peer, kind } = ports.self;
        const ms = monotonicNow(clock) - startedAt;
        book.book({ tool: name, runtime: kind === 'relay' ? 'relay' : 'mesh', place: peer, ms, ok });
      };
      const progress = (p: ToolProgress) => {
        if (!ended) options.onProgress?.(p);
      };
      const start = async () => {
        try {
          const over = deadline.reason();
          if (over !== undefined) throw over;
          tally.count(name);
          const { principal } = request;
          return await run({
            ports,
            principal,
            // only a tool that asks for it pays for it
            get signal() {
              return deadline.signal;
            },
            progress,
            ...(options.traceparent === undefined ? {} : { traceparent: options.traceparent }),
          });
        } finally {
          // a tool that does not heed its signal keeps its slot until it really ends
          release();
        }
      };
      try {
        const answer = await deadline.race(start());
        booked(true);
        return answer;
      } catch (thrown) {
        const error = deadline.reason() ?? asBegun(toTabmeshError(thrown, 'tool_failed'));
        if (error.code !== 'cancelled') booked(false);
        throw error;
      } finally {
        ended = true;
        deadline.dispose();
      }
    },
  };
}

/**
 * The time limit of a call in ms: what the caller asks for, else the tool's own, within {@link MAX_CALL_MS}. A timer
 * asked to wait longer than 2^31 ms would fire at once.
 */
export function callLimit(asked: number | undefined, own: number): number {
  const wanted = asked !== undefined && Number.isFinite(asked) ? asked : own;
  return Math.min(Math.max(0, wanted), MAX_CALL_MS);
}
