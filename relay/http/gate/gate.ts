import type { CallResult, RoomTools } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { toTabmeshError } from '../../../src/lib/errors.ts';
import { formatTraceparent, newTrace, nextHop, parseTraceparent, type Trace } from '../../../src/lib/traceparent.ts';
import type { AuditSink } from '../../../src/contracts/audit.ts';
import { createKeyedBuckets } from '../../keyed-buckets.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { TokenHolder } from '../../tokens/tokens.ts';
import { knownCode } from '../status.ts';
import type { Caller, CallEnd, GatedCall, TokenPrincipal } from './caller.ts';
import { currentRequest } from './context.ts';
import type { Rates } from './rates.ts';
import { checkReads, checkScope, isInScope } from './scope.ts';
import { toolIndex } from './tool-index.ts';

/** A flood of refused calls by one token must not become a flood in the audit log: what is left out shows in the metrics. */
const REFUSED_LINES = { burst: 20, perSecond: 1 };

/** Told of every call, and of every one that was not let in. */
export interface CallMeter {
  /** @param tool known to the room, or `other` */
  called(tool: string, runtime: string, outcome: string, seconds: number): void;
  refused(reason: string): void;
}

export interface GateOptions {
  readonly rates: Rates;
  readonly audit: AuditSink;
  readonly meter: CallMeter;
  /** those of a room that callers get to see, as they get to see them */
  readonly tools: (gateway: RoomGateway) => Promise<RoomTools>;
  readonly clock: Clock;
}

/** Makes callers of token holders: what stands between every HTTP client and the tools. */
export type Gate = (holder: TokenHolder, gateway: RoomGateway) => Promise<Caller>;

/** Makes the {@link Gate} of a relay. */
export function createGate({ rates, audit, meter, tools: toolsOf, clock }: GateOptions): Gate {
  const refusedLines = createKeyedBuckets(REFUSED_LINES, clock);

  const write = (holder: TokenHolder, call: GatedCall, trace: Trace, end: CallEnd, tookMs: number) => {
    const { id, name } = holder;
    audit.record({
      event: 'call',
      who: { kind: 'token', id, name },
      what: call.tool.slice(0, MAX_SHOWN),
      where: end.place === null ? null : { peer: end.place.peer, name: end.place.name },
      tookMs,
      outcome: end.outcome,
      args: call.args,
      trace: trace.id,
    });
  };

  return async (holder, gateway) => {
    const tools = await toolsOf(gateway);
    const principal: TokenPrincipal = {
      kind: 'token',
      tokenId: holder.id,
      name: holder.name,
      relay: gateway.self,
      ...(holder.device === null ? {} : { maker: holder.device }),
      scope: holder.scope,
    };
    const find = toolIndex(tools);

    const admit = (tool: string, args?: unknown, trace: Trace = currentRequest()?.trace ?? newTrace()) => {
      const metadata = find(tool);
      try {
        checkScope(holder.scope, tool, metadata, clock.now());
        rates.take(holder, metadata);
      } catch (thrown) {
        const { code } = toTabmeshError(thrown);
        if (refusedLines.take(holder.id)) write(holder, { tool, args }, trace, { outcome: code, place: null }, 0);
        throw thrown;
      }
    };

    const around: Caller['around'] = async (call, run, read) => {
      const request = currentRequest();
      // in a session the token of this request may be a newer one than that of the first
      if (request !== undefined && request.caller !== caller && request.caller.holder.id === holder.id) {
        return await request.caller.around(call, run, read);
      }
      const trace = parseTraceparent(call.traceparent) ?? request?.trace ?? newTrace();
      if (request?.admitted === call.tool) request.admitted = null;
      else {
        try {
          admit(call.tool, call.args, trace);
        } catch (thrown) {
          // at the door, who answers the request counts it
          meter.refused(toTabmeshError(thrown).code);
          throw thrown;
        }
      }
      const startedAt = clock.now();
      const ended = (end: CallEnd) => {
        const tookMs = clock.now() - startedAt;
        meter.called(
          find(call.tool) === undefined ? 'other' : call.tool,
          end.place === null ? 'none' : end.place.kind,
          end.outcome === 'ok' ? 'ok' : knownCode(end.outcome),
          tookMs / 1000,
        );
        write(holder, call, trace, end, tookMs);
      };
      try {
        const answer = await run(principal, formatTraceparent(nextHop(trace)));
        ended(read(answer));
        return answer;
      } catch (thrown) {
        ended({ outcome: toTabmeshError(thrown).code, place: null });
        throw thrown;
      }
    };

    const caller: Caller = {
      principal,
      holder,
      gateway: { ...gateway, tools: gated(tools, around, clock) },
      may: (tool) => isInScope(holder.scope, tool, clock.now()),
      checkRead: () => {
        checkReads(holder.scope);
      },
      admit(tool) {
        if (find(tool) === undefined) return false;
        admit(tool);
        return true;
      },
      admitRequest: () => {
        rates.takeRequest(holder.id);
      },
      around,
    };
    return caller;
  };
}

/** No tool has a longer name (MCP 2026-07-28, server/tools, "Tool Names"); what is asked for may be any text. */
const MAX_SHOWN = 128;

/** The tools of a room with every call put through `around`. */
function gated(tools: RoomTools, around: Caller['around'], clock: Clock): RoomTools {
  return {
    list: () => tools.list(),
    subscribe: (listener) => tools.subscribe(listener),
    async call(request, options = {}) {
      const startedAt = clock.now();
      try {
        return await around(
          { tool: request.tool, args: request.args, traceparent: options.traceparent },
          (principal, traceparent) => tools.call({ ...request, principal }, { ...options, traceparent }),
          endOf,
        );
      } catch (thrown) {
        return { ok: false, error: toTabmeshError(thrown).toWire(), route: null, tookMs: clock.now() - startedAt };
      }
    },
  };
}

function endOf(result: CallResult): CallEnd {
  return { outcome: result.ok ? 'ok' : result.error.code, place: result.route?.chosen ?? null };
}
