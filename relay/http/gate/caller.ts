import type { CallResult, Principal, ToolMetadata } from '../../../src/contracts/tools.ts';
import type { RoomGateway } from '../../rooms.ts';
import type { TokenHolder } from '../../tokens/tokens.ts';

export type TokenPrincipal = Extract<Principal, { readonly kind: 'token' }>;

/** How a call ended, as far as the audit log and the metrics care. */
export interface CallEnd {
  readonly outcome: 'ok' | Exclude<CallResult, { readonly ok: true }>['error']['code'];
  /** null when it reached no place */
  readonly place: { readonly kind: string; readonly peer: string; readonly name: string } | null;
}

/** A call that is about to be made for a caller. */
export interface GatedCall {
  readonly tool: string;
  readonly args: unknown;
  /** as the client sent it; the request's own when absent */
  readonly traceparent?: string | undefined;
}

/** A caller whose token was good, in the room that the token belongs to. */
export interface Caller {
  readonly principal: TokenPrincipal;
  readonly holder: TokenHolder;
  /** the room; a call of its tools goes through {@link Caller.around} by itself */
  readonly gateway: RoomGateway;
  /** Whether it may call this tool; lists leave out the others. */
  readonly may: (tool: Pick<ToolMetadata, 'name' | 'access'>) => boolean;
  /** Whether it may read all of the room: peers, runs, records. @throws `forbidden` */
  checkRead(): void;
  /**
   * Lets a call in, once.
   * @returns false for a tool that the room does not know: what it stands for, if anything, is let in when it is called
   * @throws `unauthorized`, `forbidden`, `rate_limited`; that is written to the audit log
   */
  admit(tool: string): boolean;
  /** Lets in a request that calls no tool. @throws `rate_limited` */
  admitRequest(): void;
  /**
   * Makes a call that does not go through `gateway.tools.call`: lets it in, unless the door has done so, measures it and
   * writes it to the audit log.
   * @param run gets the principal to call for, and the `traceparent` to send on
   * @param read how the answer ended
   * @throws as `admit`; what `run` throws
   */
  around<T>(
    call: GatedCall,
    run: (principal: TokenPrincipal, traceparent: string) => Promise<T>,
    read: (answer: T) => CallEnd,
  ): Promise<T>;
}
