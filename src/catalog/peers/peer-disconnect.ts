import type { PeerId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { DEGRADED, failed } from './answer.ts';
import { flag, orNull, peerId, STICKY } from './fields.ts';
import { disconnected } from './schemas.ts';

/** Links close in a message or two, or are dropped after a second. */
const TIMEOUT_MS = 10_000;
const MAX_REASON_CHARS = 500;

/** Let go of a peer. */
export const peerDisconnect = defineTool({
  name: 'peer_disconnect',
  category: 'peers',
  title: 'Disconnect from a peer',
  description:
    "Closes this peer's links to another one and does not link to it again by itself. A member that comes back of its own " +
    'accord is let in: to put somebody out of the room, use block_device.',
  access: 'admin',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  destructive: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    peer_id: peerId,
    reason: orNull(z.string().check(z.maxLength(MAX_REASON_CHARS)), 'why, for this answer; null: none'),
    graceful: flag(true, 'false: drops the link without a word'),
  }),
  output: disconnected,
  async run({ ports: { network }, signal }, { peer_id, reason, graceful }) {
    if (!network.available()) return { ...DEGRADED, peer_id };
    const started = performance.now();
    try {
      const wasConnected = await network.disconnect(peer_id as PeerId, { graceful, reason });
      return {
        success: true,
        peer_id,
        was_connected: wasConnected,
        graceful,
        reason,
        cleanup_performed: true,
        disconnection_time: (performance.now() - started) / 1000,
      };
    } catch (thrown) {
      return { ...failed(thrown, signal), peer_id };
    }
  },
});
