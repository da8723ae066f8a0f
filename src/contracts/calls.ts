import type { WireError } from '../lib/errors.ts';
import type { PeerId } from '../lib/ids.ts';
import type { Place, Principal, RouteExplanation } from './tools.ts';

/** One try of a call at a place. */
export interface CallTry {
  readonly place: Place;
  /** `next`: another place had failed; `retry`: this one is asked again; `hedge`: beside one that takes long */
  readonly why: 'first' | 'next' | 'retry' | 'hedge';
  /** ms after the call began */
  readonly startedMs: number;
  /** ms; null while it runs */
  readonly tookMs: number | null;
  readonly error: WireError | null;
}

/** How a call ended. */
export interface CallEnd {
  readonly tookMs: number;
  /** characters of the answer's JSON; null without one, or when it is longer than anybody counts */
  readonly answerSize: number | null;
  /** null when it succeeded */
  readonly error: WireError | null;
  /** of a call that the router here has made; null when it ran nowhere, and of one that went straight to a place */
  readonly route: RouteExplanation | null;
}

/** A call that was made or served by this peer, as of now. */
export interface WatchedCall {
  /** grows with every call */
  readonly id: number;
  readonly side: 'made' | 'served';
  readonly tool: string;
  /** on whose behalf */
  readonly principal: Principal;
  /** ms since the epoch */
  readonly at: number;
  /** the W3C trace that it belongs to, the same at every hop; null when it belongs to none */
  readonly traceId: string | null;
  /** the place that it asks for; null when the router chooses */
  readonly asked: PeerId | null;
  /** characters of the arguments' JSON; null when they are longer than anybody counts */
  readonly argsSize: number | null;
  /** in the order they began; empty for a call that is served here */
  readonly tries: readonly CallTry[];
  /** null while it runs */
  readonly end: CallEnd | null;
}
