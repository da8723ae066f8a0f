import type { Asker } from '../../contracts/approvals.ts';
import type { AccessClass, Principal } from '../../contracts/tools.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { runAfter, type Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { jcsCid } from '../../lib/jcs-cid.ts';
import { callerClass, makerKey, principalKey } from '../access.ts';
import type { ApprovalBook } from './book.ts';
import { ATTENDED_WAIT_MS, MAX_SHOWN_ARGS, RETRY_AFTER_MS } from './limits.ts';
import type { AskedCall, AskOutcome } from './state.ts';

/** A call that this place runs only with the person's word. */
export interface GatedCall {
  readonly tool: string;
  readonly access: AccessClass;
  readonly args: unknown;
  readonly principal: Principal;
  /** the handle that the caller was given before */
  readonly approval: string | undefined;
}

export interface ApprovalGateOptions {
  readonly book: ApprovalBook;
  /** what a device calls itself */
  readonly nameOf: (device: Extract<Principal, { kind: 'device' }>['device']) => string;
  readonly clock: Clock;
}

/** Asks the person about calls. */
export class ApprovalGate {
  readonly #options: ApprovalGateOptions;

  constructor(options: ApprovalGateOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the call may run; then it must, since a given approval is used up. While somebody looks at the requests it
   * waits for the answer, else it does not.
   * @throws `approval_pending` with `details.handle`, with which the same call is repeated later; `forbidden` after a "no";
   *   `rate_limited` when too much waits already; `not_found` for a handle that is none of this caller's for this tool;
   *   `conflict` when the approval is for another call or has been used; the signal's reason; `storage_failed`
   */
  async pass(gated: GatedCall, signal: AbortSignal | undefined): Promise<void> {
    const { book } = this.#options;
    const call = this.#askedCall(gated);
    let outcome = await book.ask(call);
    if (outcome.type === 'pending' && book.attended) {
      await this.#answered(outcome.handle, signal);
      outcome = await book.ask({ ...call, handle: outcome.handle });
    }
    if (outcome.type !== 'run') throw refusalOf(gated.tool, outcome, this.#options.clock.now());
  }

  #askedCall({ tool, access, args, principal, approval }: GatedCall): AskedCall {
    const given = args ?? {};
    const text = canonicalJson(given);
    return {
      asker: this.#askerOf(principal),
      tool,
      access,
      call: jcsCid({ tool, args: given }),
      args: text.length > MAX_SHOWN_ARGS ? `${text.slice(0, MAX_SHOWN_ARGS)}…` : text,
      handle: approval ?? null,
    };
  }

  #askerOf(principal: Principal): Asker {
    const { nameOf } = this.#options;
    const isDevice = principal.kind === 'device';
    const own = isDevice ? nameOf(principal.device) : principal.name;
    const through = (principal.via ?? []).map(({ device }) => ` through ${nameOf(device)}`);
    return {
      key: principalKey(principal),
      class: callerClass(principal),
      name: own + through.join(''),
      device: isDevice ? principal.device : (principal.maker ?? null),
      ...(isDevice || principal.issuer === undefined ? {} : { issuer: principal.issuer }),
      by: makerKey(principal),
    };
  }

  /** Waits until the question is answered, or nobody has for a while. @throws the signal's reason */
  #answered(handle: string, signal: AbortSignal | undefined): Promise<void> {
    const { book, clock } = this.#options;
    const waits = () => book.pending().some((request) => request.handle === handle);
    return new Promise((resolve, reject) => {
      const end = () => {
        stopTimer();
        unsubscribe();
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        end();
        reject(toTabmeshError(signal?.reason, 'cancelled'));
      };
      const done = () => {
        end();
        resolve();
      };
      const stopTimer = runAfter(clock, ATTENDED_WAIT_MS, done);
      const unsubscribe = book.subscribe(() => {
        if (!waits()) done();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      // answered between the question and now
      if (signal?.aborted === true) onAbort();
      else if (!waits()) done();
    });
  }
}

function refusalOf(tool: string, outcome: Exclude<AskOutcome, { type: 'run' }>, now: number): TabmeshError {
  switch (outcome.type) {
    case 'pending':
      return new TabmeshError('approval_pending', `${tool} waits for the approval of the person at that device`, {
        hint:
          'Repeat the same call later. The handle takes up this very question: _meta["tabmesh/approval"] over MCP, the header ' +
          'tabmesh-approval over REST, --approval on the command line.',
        retryable: true,
        details: { handle: outcome.handle, retryAfterMs: RETRY_AFTER_MS },
      });
    case 'denied': {
      const retryAfterMs = outcome.until === null ? {} : { retryAfterMs: outcome.until - now };
      return new TabmeshError('forbidden', `the person at that device does not want ${tool} to be called`, {
        hint: 'Speak with them before you try again.',
        details: { denied: true, ...retryAfterMs },
      });
    }
    case 'busy':
      return new TabmeshError('rate_limited', `another call of yours to ${tool} waits for approval there`, {
        hint: 'Wait until it is answered: the person is asked one thing at a time.',
        retryable: true,
        // no time is named: the place is not full, this caller is asked about
        details: { waiting: outcome.handle },
      });
    case 'full':
      return new TabmeshError('rate_limited', 'too many calls wait for approval at that device', {
        hint: 'Try again when the person there has answered some.',
        retryable: true,
      });
    case 'unknown':
      return new TabmeshError('not_found', `no approval of that handle waits there for you and ${tool}`, {
        hint: 'Call without the handle to ask again.',
      });
    case 'other_call':
      return new TabmeshError('conflict', 'the approval is for a call with other arguments', {
        hint: 'Repeat exactly the call that was refused, or call without the handle to ask anew.',
      });
    case 'used':
      return new TabmeshError('conflict', 'the call that was approved has been made already', {
        hint: 'Call without the handle to ask for another.',
      });
  }
}
