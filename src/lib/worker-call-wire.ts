import type { WireError } from './errors.ts';

/** How a call across a worker border ends. An envelope, because Comlink would keep only name and message of an error. */
export type CallOutcome =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireError };

/** What the worker offers over Comlink. Ids are chosen by the caller and unique per worker. */
export interface WorkerSurface {
  /** must come first; `progress` is a Comlink proxy to a function of the caller, waited for */
  connect(progress: (id: number, value: unknown) => unknown): void;
  call(id: number, method: string, args: unknown): Promise<CallOutcome>;
  /** aborts the signal of call `id`; unknown ids are calls that have ended meanwhile */
  abort(id: number, reason: WireError): void;
}

/** What a handler gets beside its arguments. */
export interface HandlerContext {
  readonly signal: AbortSignal;
  /** reports to the caller; every report arrives before the call's answer */
  readonly progress: (value: unknown) => void;
}

/** The functions that one side offers to the other, by name; arguments and answers must be structured-cloneable. */
export type WorkerHandlers = Readonly<Record<string, (args: never, context: HandlerContext) => unknown>>;

/** The handler that a client calls first, with its init message, on every fresh worker. */
export const INIT_METHOD = 'init';
