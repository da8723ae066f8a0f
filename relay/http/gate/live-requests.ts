import type { ServerResponse } from 'node:http';
import { runAfter, type Clock } from '../../../src/lib/clock.ts';
import type { TokenHolder } from '../../tokens/tokens.ts';

/** Longest wait that a timer holds (2^31 − 1 ms); an expiry beyond is looked at again then. */
const MAX_WAIT_MS = 2_147_483_647;

/** The requests that are being answered, by token: a call or a stream must not outlive the right to it. */
export interface LiveRequests {
  /** until the response has closed; it is cut when the token expires */
  add(holder: Pick<TokenHolder, 'id' | 'scope'>, response: ServerResponse): void;
  /** Lets one be answered to its end: the one that takes its own token back. */
  spare(response: ServerResponse): void;
  /** cuts those of a token that was taken back */
  end(tokenId: string): void;
  count(): number;
}

/** Makes {@link LiveRequests}, empty. */
export function createLiveRequests(clock: Clock): LiveRequests {
  const open = new Map<string, Set<ServerResponse>>();
  let count = 0;
  return {
    add({ id, scope }, response) {
      // the client has left while its token was looked at
      if (response.closed) return;
      const mine = open.get(id) ?? new Set();
      open.set(id, mine.add(response));
      count++;
      const stop = scope.expiresAt === null ? undefined : destroyAt(clock, scope.expiresAt, response);
      response.once('close', () => {
        stop?.();
        count--;
        mine.delete(response);
        if (mine.size === 0) open.delete(id);
      });
    },
    spare(response) {
      for (const mine of open.values()) mine.delete(response);
    },
    end(tokenId) {
      for (const response of [...(open.get(tokenId) ?? [])]) response.destroy();
    },
    count: () => count,
  };
}

function destroyAt(clock: Clock, at: number, response: ServerResponse): () => void {
  const wait = at - clock.now();
  let stop = runAfter(clock, Math.min(wait, MAX_WAIT_MS), () => {
    if (wait <= MAX_WAIT_MS) response.destroy();
    else stop = destroyAt(clock, at, response);
  });
  return () => {
    stop();
  };
}
