import type { PeerId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { DEGRADED, failed } from './answer.ts';
import { flag, peerId, STICKY } from './fields.ts';
import { currentToWire, hourToWire, infoToWire } from './metrics-wire.ts';
import { measured } from './schemas.ts';

/** Bandwidth is measured while it is asked for: a few pings, each within 5 s. */
const TIMEOUT_MS = 20_000;
/** a week: as far back as is kept */
const MAX_HISTORY_HOURS = 168;

/** How the link to a peer does. */
export const peerMetrics = defineTool({
  name: 'peer_metrics',
  category: 'peers',
  title: 'Metrics of a peer',
  description:
    'Tells how the link to one peer does, as this peer has measured it: round trip, bandwidth, loss, reliability, time ' +
    'linked, bytes; on request by hours, oldest first. What was not measured is null, so a relayed link has no bandwidth.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    peer_id: peerId,
    include_history: flag(false, 'adds the hours before'),
    history_hours: wholeNumber(1, MAX_HISTORY_HOURS, 24, 'how many hours back'),
  }),
  output: measured,
  async run({ ports: { network }, signal }, { peer_id, include_history, history_hours }) {
    if (!network.available()) return { ...DEGRADED, peer_id };
    try {
      const metrics = await network.metrics(peer_id as PeerId, signal);
      if (metrics === undefined) return { success: false, error: `no peer ${peer_id} is known here`, peer_id };
      return {
        success: true,
        peer_id,
        current_metrics: currentToWire(metrics),
        connection_info: infoToWire(metrics),
        timestamp: metrics.at / 1000,
        ...(include_history && {
          history: network.history(peer_id as PeerId, history_hours).map(hourToWire),
          history_hours,
        }),
      };
    } catch (thrown) {
      return { ...failed(thrown, signal), peer_id };
    }
  },
});
