import type { AuditSink } from '../../contracts/audit.ts';
import type { McpProvider } from '../../contracts/mcp.ts';
import type { Principal } from '../../contracts/tools.ts';
import { monotonicNow, type Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { parseTraceparent } from '../../lib/traceparent.ts';
import type { LocalTools } from '../local-tools.ts';
import { actorOf, isOwnCall, type NameOf } from './actor.ts';

/** No tool has a longer name (MCP 2026-07-28, server/tools, "Tool Names"); what is asked for may be any text. */
const MAX_SHOWN = 128;

export interface ServedAuditOptions {
  readonly sink: AuditSink;
  readonly self: PeerId;
  readonly nameOf: NameOf;
  readonly clock: Clock;
}

/** Writes down what this peer serves to others: made once, used for its tools and for what else it answers over MCP. */
export class ServedAudit {
  readonly #options: ServedAuditOptions;

  constructor(options: ServedAuditOptions) {
    this.#options = options;
  }

  /** the same tools, with each call that another peer makes written down when it has ended */
  tools(tools: LocalTools): LocalTools {
    return {
      ...tools,
      call: (request, options) =>
        this.#around(request.tool, request.args, request.principal, options?.traceparent, () =>
          tools.call(request, options),
        ),
    };
  }

  /** the same provider, with each resource that another peer reads written down; its tools are {@link tools} */
  provider(provider: McpProvider): McpProvider {
    return {
      discover: () => provider.discover(),
      request: (method, params, context) =>
        method === 'resources/read'
          ? this.#around(method, { uri: params['uri'] }, context.principal, traceOf(params), () =>
              provider.request(method, params, context),
            )
          : provider.request(method, params, context),
    };
  }

  #around<T>(
    what: string,
    args: unknown,
    principal: Principal,
    traceparent: string | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    const { self, clock } = this.#options;
    if (isOwnCall(principal, self)) return run();
    const startedAt = monotonicNow(clock);
    const ended = (failure: unknown) => {
      const tookMs = monotonicNow(clock) - startedAt;
      this.#record(what, args, principal, traceparent, tookMs, failure);
    };
    return run().then(
      (answer) => {
        ended(null);
        return answer;
      },
      (thrown: unknown) => {
        ended(thrown);
        throw thrown;
      },
    );
  }

  #record(
    what: string,
    args: unknown,
    principal: Principal,
    traceparent: string | undefined,
    tookMs: number,
    failure: unknown,
  ): void {
    const { sink, nameOf } = this.#options;
    sink.record({
      event: 'served',
      who: actorOf(principal, nameOf),
      what: what.slice(0, MAX_SHOWN),
      where: null,
      // a thousandth of a millisecond is what clocks tell
      tookMs: Math.round(tookMs * 1000) / 1000,
      outcome: failure === null ? 'ok' : toTabmeshError(failure, 'tool_failed').code,
      args,
      trace: parseTraceparent(traceparent)?.id ?? null,
    });
  }
}

function traceOf(params: Readonly<Record<string, unknown>>): string | undefined {
  const meta = params['_meta'];
  const trace = typeof meta === 'object' && meta !== null && 'traceparent' in meta ? meta.traceparent : undefined;
  return typeof trace === 'string' ? trace : undefined;
}
