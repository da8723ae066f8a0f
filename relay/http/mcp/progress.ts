import type { ServerContext } from '@modelcontextprotocol/server';
import type { Clock } from '../../../src/lib/clock.ts';
import type { Log } from '../../../src/lib/log.ts';
import { PROGRESS_INTERVAL_MS } from './limits.ts';

/**
 * Passes a call's progress on to the client that asked for it, under its own token: growing numbers only, as MCP demands, and
 * not more often than somebody could read.
 * @returns undefined when the client did not ask; else takes `progress`, `total` and `message` of a notification
 */
export function progressSender(
  { mcpReq }: ServerContext,
  clock: Clock,
  log: Log,
): ((told: Readonly<Record<string, unknown>>) => void) | undefined {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let sentAt = -Infinity;
  let highest = -Infinity;
  return ({ progress, total, message }) => {
    if (typeof progress !== 'number') return;
    const isLast = progress === total;
    if (progress <= highest || (!isLast && clock.now() - sentAt < PROGRESS_INTERVAL_MS)) return;
    highest = progress;
    sentAt = clock.now();
    const params = {
      progressToken,
      progress,
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    };
    mcpReq.notify({ method: 'notifications/progress', params }).catch((error: unknown) => {
      // the client is gone; the call itself learns that from its signal
      log.debug('progress not delivered', { error: String(error) });
    });
  };
}
