import type { Connection } from '@libp2p/interface';

/** An orderly close is a message or two; one that takes longer is not coming. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Ends a connection so that the other side learns of it. libp2p's `abort` alone does not over WebSockets: it asks the
 * socket to close with code 1006, which the WebSocket standard forbids, so the socket stays open.
 * @param reason goes to the streams that are still open here
 */
export async function disconnect(connection: Connection, reason: Error): Promise<void> {
  try {
    await connection.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
  } catch {
    // the other side does not take part in closing: drop our half
    connection.abort(reason);
  }
}
