import type { ClassAccess } from '../contracts/approvals.ts';
import { DEFAULT_CLASS_ACCESS } from '../contracts/approvals.ts';
import type { Ports } from '../contracts/ports.ts';
import type { AccessClass, CallCredentials, CallOptions, Principal } from '../contracts/tools.ts';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { checkPrincipal, checkScope, closedTo, decideAccess, principalKey, type Serving } from './access.ts';
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
  readonly credentials?: CallCredentials;
}

/** A call that may run. It holds a slot until `release` is called. */
export interface Admission {
  readonly tool: Tool;
  readonly run: PreparedCall;
  readonly release: () => void;
}

/** A call that its principal may not make without more. */
export interface RestrictedCall extends Required<Pick<ArrivingCall, 'tool' | 'args' | 'principal'>> {
  readonly access: AccessClass;
  readonly credentials: CallCredentials;
  /** whether the person is asked when no grant allows it */
  readonly ask: boolean;
}

/** Decides about calls that the principal alone is no reason to run: by grants, else by the person. */
export interface Discretion {
  /**
   * Resolves when the call may run; then it must: what allowed it may be used up by that.
   * @throws `forbidden`, `approval_pending`, `rate_limited`, `not_found`, `conflict`, `storage_failed`; the signal's reason
   */
  decide(call: RestrictedCall, signal: AbortSignal | undefined): Promise<void>;
}

/** The serving place's decision whether a call runs. */
export interface Guard {
  /**
   * Decides at once about whatever a principal may do by itself, which is nearly everything.
   * @throws the first that applies of `unknown_tool`, `unauthorized`, `forbidden`, `payload_too_large`,
   *   `invalid_input`, `rate_limited`; rejects with what {@link Discretion.decide} does. Nothing of the tool has run then
   */
  admit(call: ArrivingCall, options?: Pick<CallOptions, 'signal'>): Admission | Promise<Admission>;
}

export interface GuardOptions {
  readonly registry: Pick<ToolRegistry, 'get' | 'list'>;
  readonly self: Serving;
  readonly limits?: QuotaLimits;
  /** what others may do here without asking, as it is now; the default when absent */
  readonly classAccess?: () => ClassAccess;
  /** refuses whatever is not granted by itself when absent */
  readonly discretion?: Discretion;
  readonly clock?: Clock;
  /** what tools look at before the person is asked; they do not look when absent */
  readonly ports?: Ports;
}

const DEFAULT_LIMITS: QuotaLimits = { perPlace: MAX_CALLS_PER_PLACE, perPrincipal: MAX_CALLS_PER_PRINCIPAL };
const REFUSE: Discretion = { decide: ({ tool, access }) => Promise.reject(closedTo(tool, access)) };

/** Makes the guard of one peer. */
export function createGuard({
  registry,
  self,
  limits = DEFAULT_LIMITS,
  classAccess = () => DEFAULT_CLASS_ACCESS,
  discretion = REFUSE,
  clock = systemClock,
  ports,
}: GuardOptions): Guard {
  const quota = createQuota(limits);
  return {
    admit({ tool: name, args, principal, credentials = {} }, options = {}) {
      const tool = registry.get(name);
      if (tool === undefined) {
        throw unknownTool(
          name,
          registry.list().map(({ metadata }) => metadata.name),
        );
      }
      const { access } = tool.metadata;
      checkPrincipal(principal);
      checkScope(name, access, principal, self, clock.now());
      const decision = decideAccess(name, access, principal, self, classAccess());
      const closed = decision === 'closed' && credentials.grants === undefined;
      if (closed) throw closedTo(name, access);
      checkArgumentsSize(name, args);
      const run = tool.prepare(args);
      // nobody is asked about what would come to nothing; a grant is used all the same
      if (decision === 'ask' && credentials.grants === undefined && ports !== undefined) run.precheck?.(ports);
      // last, so that a refused call never holds a slot
      const release = quota.take(principalKey(principal));
      const admission = { tool, run, release };
      if (decision === 'granted') return admission;
      const restricted = { tool: name, access, args, principal, credentials, ask: decision === 'ask' };
      return discretion.decide(restricted, options.signal).then(
        () => admission,
        (thrown: unknown) => {
          release();
          throw thrown;
        },
      );
    },
  };
}
