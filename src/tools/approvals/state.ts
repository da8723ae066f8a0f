import type { ApprovalAnswer, ApprovalRequest, Asker, StandingDecision } from '../../contracts/approvals.ts';
import type { AccessClass } from '../../contracts/tools.ts';
import {
  ASKED_STEP_MS,
  COOL_DOWN_MS,
  MAX_COOL_DOWN_MS,
  MAX_PENDING,
  MAX_PENDING_PER_ASKER,
  MAX_REQUESTS,
  MAX_STANDING,
  REQUEST_MS,
} from './limits.ts';

/** A request as it is kept: `used` when the call that was allowed has begun. */
export interface KeptRequest extends Omit<ApprovalRequest, 'state'> {
  readonly state: 'pending' | 'allowed' | 'used';
  /** names tool and arguments: what is allowed is this call and no other */
  readonly call: string;
  readonly lastAskedAt: number;
}

/** A decision as it is kept. */
export interface KeptDecision extends StandingDecision {
  /** "no"s in a row */
  readonly refusals: number;
}

/** Everything that was asked and answered at a device in a room. */
export interface ApprovalState {
  readonly requests: readonly KeptRequest[];
  readonly decisions: readonly KeptDecision[];
}

export const NOTHING_ASKED: ApprovalState = { requests: [], decisions: [] };

/** A call that needs the person's word. */
export interface AskedCall {
  readonly asker: Asker;
  readonly tool: string;
  readonly access: AccessClass;
  readonly call: string;
  readonly args: string;
  /** the handle that the caller repeats the call with; null at first */
  readonly handle: string | null;
}

/** What becomes of a call that needs the person's word. */
export type AskOutcome =
  /** it runs now, and nobody else may run on the same approval */
  | { readonly type: 'run' }
  | { readonly type: 'pending'; readonly handle: string }
  | { readonly type: 'denied'; readonly until: number | null }
  /** another question of the asker about this tool waits */
  | { readonly type: 'busy'; readonly handle: string }
  /** too many questions wait */
  | { readonly type: 'full' }
  /** no such handle for this asker and tool */
  | { readonly type: 'unknown' }
  /** the approval was for another call */
  | { readonly type: 'other_call' }
  /** the call has begun already */
  | { readonly type: 'used' };

interface Step<T> {
  /** the same object when nothing is to be kept */
  readonly state: ApprovalState;
  readonly result: T;
}

/**
 * A call asks. Pure.
 * @param now ms since the epoch
 * @param newHandle for a question that is new
 */
export function ask(before: ApprovalState, call: AskedCall, now: number, newHandle: string): Step<AskOutcome> {
  const state = withoutExpired(before, now);
  const { asker, tool, handle } = call;
  const mine = (request: KeptRequest) => request.asker.key === asker.key && request.tool === tool;
  const standing = state.decisions.filter((each) => each.tool === tool && stands(each, now));
  const isAllowed = standing.some((each) => each.decision === 'allow' && each.asker.key === asker.key);
  // a "no" is to who asks, by whichever of its tokens
  const denial = standing.find((each) => each.decision === 'deny' && isSameSource(each.asker, asker));
  const denied = denial === undefined ? null : ({ type: 'denied', until: denial.expiresAt } as const);
  if (handle !== null) {
    const named = state.requests.find((request) => request.handle === handle && mine(request));
    if (named !== undefined) return repeat(state, named, call, now);
    return { state, result: denied !== null && !isAllowed ? denied : { type: 'unknown' } };
  }
  if (isAllowed) return { state, result: { type: 'run' } };
  if (denied !== null) return { state, result: denied };
  const open = state.requests.filter((request) => mine(request) && request.state !== 'used');
  const same = open.find((request) => request.call === call.call);
  if (same !== undefined) return repeat(state, same, call, now);
  const pending = state.requests.filter((request) => request.state === 'pending');
  const own = pending.filter((request) => isSameSource(request.asker, asker));
  const waiting = own.find((request) => request.tool === tool);
  if (waiting !== undefined) return { state, result: { type: 'busy', handle: waiting.handle } };
  if (pending.length >= MAX_PENDING || own.length >= MAX_PENDING_PER_ASKER) return { state, result: { type: 'full' } };
  const request: KeptRequest = {
    handle: newHandle,
    asker,
    tool,
    access: call.access,
    call: call.call,
    args: call.args,
    state: 'pending',
    asked: 1,
    askedAt: now,
    lastAskedAt: now,
    expiresAt: now + REQUEST_MS,
  };
  return {
    state: { ...state, requests: withRoom([...state.requests, request]) },
    result: { type: 'pending', handle: newHandle },
  };
}

/** The person answers. Pure. @returns as result false when there is no such question any more */
export function decide(
  before: ApprovalState,
  handle: string,
  answer: ApprovalAnswer,
  now: number,
  newId: string,
): Step<boolean> {
  const state = withoutExpired(before, now);
  const request = state.requests.find((each) => each.handle === handle && each.state === 'pending');
  if (request === undefined) return { state, result: false };
  const { asker, tool } = request;
  const others = state.requests.filter((each) => each !== request);
  const requests =
    answer === 'no' ? others : [...others, { ...request, state: 'allowed' as const, expiresAt: now + REQUEST_MS }];
  if (answer === 'once') return { state: { ...state, requests }, result: true };
  // what another token of the same device was allowed stays allowed
  const isOther = (each: KeptDecision) =>
    each.tool !== tool ||
    (each.asker.key !== asker.key && !(each.decision === 'deny' && isSameSource(each.asker, asker)));
  const last = before.decisions.find((each) => !isOther(each) && each.decision === 'deny');
  const refusals = answer === 'no' ? (last?.refusals ?? 0) + 1 : 0;
  const decision: KeptDecision = {
    id: newId,
    asker,
    tool,
    decision: answer === 'no' ? 'deny' : 'allow',
    decidedAt: now,
    expiresAt: answer === 'no' ? now + Math.min(COOL_DOWN_MS * 2 ** (refusals - 1), MAX_COOL_DOWN_MS) : null,
    refusals,
  };
  const decisions = [decision, ...state.decisions.filter(isOther)].slice(0, MAX_STANDING);
  return { state: { requests, decisions }, result: true };
}

/** Takes an answer back, with what it had allowed and was not used yet. Pure. @returns as result false when there is none */
export function revoke(state: ApprovalState, id: string): Step<boolean> {
  const decision = state.decisions.find((each) => each.id === id);
  if (decision === undefined) return { state, result: false };
  const { asker, tool } = decision;
  const gone = (each: KeptRequest) => each.state === 'allowed' && each.asker.key === asker.key && each.tool === tool;
  return {
    state: {
      requests: state.requests.filter((each) => !gone(each)),
      decisions: state.decisions.filter((each) => each !== decision),
    },
    result: true,
  };
}

/** Whether a decision decides anything now. */
export const stands = ({ expiresAt }: StandingDecision, now: number): boolean => expiresAt === null || now < expiresAt;

/** Whether the questions of both are one's: limits are for who asks, who may have many tokens. */
const isSameSource = (a: Asker, b: Asker): boolean => (a.by ?? a.key) === (b.by ?? b.key);

function repeat(
  state: ApprovalState,
  request: KeptRequest,
  { call, handle }: AskedCall,
  now: number,
): Step<AskOutcome> {
  if (request.call !== call) return { state, result: { type: 'other_call' } };
  if (request.state === 'used') return { state, result: { type: 'used' } };
  if (request.state === 'allowed') {
    return { state: replaced(state, request, { ...request, state: 'used' }), result: { type: 'run' } };
  }
  const result = { type: 'pending', handle: request.handle } as const;
  // who comes with the handle waits for the answer; that is not asking again
  if (handle !== null || now - request.lastAskedAt < ASKED_STEP_MS) return { state, result };
  return { state: replaced(state, request, { ...request, asked: request.asked + 1, lastAskedAt: now }), result };
}

function replaced(state: ApprovalState, old: KeptRequest, next: KeptRequest): ApprovalState {
  return { ...state, requests: state.requests.map((request) => (request === old ? next : request)) };
}

/** The oldest that were used make room for new ones; there is always one, since those that wait are far fewer. */
function withRoom(requests: readonly KeptRequest[]): readonly KeptRequest[] {
  if (requests.length <= MAX_REQUESTS) return requests;
  const oldest = requests.find(({ state }) => state === 'used') ?? requests[0];
  return requests.filter((request) => request !== oldest);
}

/** Refusals are remembered for a while after their time, so that the next is longer. */
function withoutExpired(state: ApprovalState, now: number): ApprovalState {
  const requests = state.requests.filter(({ expiresAt }) => now < expiresAt);
  const decisions = state.decisions.filter((each) => stands(each, now - MAX_COOL_DOWN_MS));
  const isSame = requests.length === state.requests.length && decisions.length === state.decisions.length;
  return isSame ? state : { requests, decisions };
}
