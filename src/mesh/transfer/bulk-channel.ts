import type { Stream } from '@libp2p/interface';
import { BULK_MESSAGE_BYTES } from './limits.ts';

/**
 * The channel asks for more when this much is left in it. libp2p waits until it is empty, and then for a turn of this thread:
 * meanwhile nothing is on the wire.
 */
const LOW_WATER_BYTES = 512 * 1024;

interface ChannelStream {
  channel?: { bufferedAmountLowThreshold?: number };
  maxMessageSize?: number;
}

/** Sets a WebRTC stream up for sending much at once. A stream of another kind is left as it is. */
export function tuneForBulk(stream: Stream): void {
  const inner = stream as unknown as ChannelStream;
  if (inner.channel?.bufferedAmountLowThreshold === undefined || inner.maxMessageSize === undefined) return;
  inner.channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
  inner.maxMessageSize = BULK_MESSAGE_BYTES;
}
