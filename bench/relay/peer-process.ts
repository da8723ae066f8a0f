import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FromPeers, ToPeers } from './messages.ts';

/** Handshakes, a reservation and a listing each, on a loaded machine. */
const START_MS = 300_000;
const INTRODUCE_MS = 30_000;

/** Peers in a process of their own. */
export interface PeerProcess {
  /** Starts one more peer. @returns ms from its first byte to the list of the room's peers */
  introduce(room: number): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a peer for each entry of `rooms`, and waits until all are listed.
 * @param from the loopback address that they come from
 * @throws when one is not in time
 */
export async function startPeers(invite: string, rooms: readonly number[], from: string): Promise<PeerProcess> {
  const child = fork(join(import.meta.dirname, 'peers.ts'), { stdio: 'inherit' });
  const ask = async (message: ToPeers, timeoutMs: number): Promise<FromPeers> => {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    child.send(message);
    const [answer] = (await answered) as [FromPeers];
    if ('failed' in answer) throw new Error(answer.failed);
    return answer;
  };
  const stop = async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  };
  try {
    await ask({ start: { invite, rooms, from } }, START_MS);
    return { introduce: async (room) => (await ask({ introduce: { room } }, INTRODUCE_MS)).ms, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
