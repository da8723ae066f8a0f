import { Agent } from 'undici';
import { CONNECTIONS_PER_ORIGIN, type FetchLimits } from './limits.ts';
import { vettedLookup, type Resolve } from './vetted-lookup.ts';

/** The connections to services outside. */
export interface Agents {
  /** connects to public addresses only */
  readonly vetted: Agent;
  /** to what whoever runs the relay has named: the one exemption from the address check */
  readonly overridden: Agent;
}

/** Makes {@link Agents}. Nothing is connected yet. */
export function createAgents(limits: FetchLimits, resolve: Resolve): Agents {
  const bounds = {
    connections: CONNECTIONS_PER_ORIGIN,
    allowH2: false,
    headersTimeout: limits.idleMs,
    bodyTimeout: limits.idleMs,
  };
  return {
    vetted: new Agent({ ...bounds, connect: { timeout: limits.connectMs, lookup: vettedLookup(resolve) } }),
    overridden: new Agent({ ...bounds, connect: { timeout: limits.connectMs } }),
  };
}
