import type { Ports } from './ports.ts';
import type { Principal, ToolProgress } from './tools.ts';

/** What a tool is given beside its arguments. */
export interface ToolContext {
  readonly ports: Ports;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly progress: (p: ToolProgress) => void;
  /** W3C `traceparent` that came with the call, to go on with what it asks of others */
  readonly traceparent?: string;
}
