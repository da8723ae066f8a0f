import type { Principal } from '../contracts/tools.ts';
import { checkAccess, checkPrincipal, principalKey, type Serving } from './access.ts';
import type { PreparedCall, Tool } from './define-tool.ts';
import { MAX_CALLS_PER_PLACE, MAX_CALLS_PER_PRINCIPAL } from './limits.ts';
import { createQuota, type QuotaLimits } from './quota.ts';
import type { ToolRegistry } from './registry.ts';
import { unknownTool } from './unknown-tool.ts';
import { checkArgumentsSize } from './validate.ts';

/** A call as it arrives at the place that is to serve it. */
export interface ArrivingCall {
  readonly tool: string;
  readonly args: unknown;
  /** attached by the hop that authenticated the caller */
  readonly principal: Principal;
}

/** A call that may run. It holds a slot until `release` is called. */
export interface Admission {
  readonly tool: Tool;
  readonly run: PreparedCall;
  readonly release: () => void;
}

/** The serving place's decision whether a call runs. */
export interface Guard {
  /**
   * @throws the first that applies of `unknown_tool`, `unauthorized`, `forbidden`, `payload_too_large`,
   *   `invalid_input`, `rate_limited`; nothing of the tool has run then
   */
  admit(call: ArrivingCall): Admission;
}

export interface GuardOptions {
  readonly registry: Pick<ToolRegistry, 'get' | 'list'>;
  readonly self: Serving;
  readonly limits?: QuotaLimits;
}

const DEFAULT_LIMITS: QuotaLimits = { perPlace: MAX_CALLS_PER_PLACE, perPrincipal: MAX_CALLS_PER_PRINCIPAL };

/** Makes the guard of one peer. */
export function createGuard({ registry, self, limits = DEFAULT_LIMITS }: GuardOptions): Guard {
  const quota = createQuota(limits);
  return {
    admit({ tool: name, args, principal }) {
      const tool = registry.get(name);
      if (tool === undefined) {
        throw unknownTool(
          name,
          registry.list().map(({ metadata }) => metadata.name),
        );
      }
      checkPrincipal(principal);
      checkAccess(name, tool.metadata.access, principal, self);
      checkArgumentsSize(name, args);
      const run = tool.prepare(args);
      // last, so that a refused call never holds a slot
      const release = quota.take(principalKey(principal));
      return { tool, run, release };
    },
  };
}
