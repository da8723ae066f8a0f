import type { Stream } from '@libp2p/interface';
import { concatBytes } from '../../lib/bytes.ts';

/** What libp2p's WebRTC stream does inside: puts pieces on the data channel. */
interface PieceSender {
  _sendMessage?: (pieces: Iterable<Uint8Array>) => void;
}

/**
 * Lets a WebRTC stream put each of its messages on the data channel as one message. libp2p (`@libp2p/webrtc` 6.0.33,
 * `stream.js`) sends every piece of it alone, and the length prefix is a piece: twice the messages for the same bytes.
 * Measured in one run, an echo of 85 bytes: 1,440 a second with pieces, 2,230 whole. The other side reads one byte stream
 * and sees no difference. A stream of another kind is left as it is.
 */
export function sendWholeMessages(stream: Stream): void {
  const inner = stream as unknown as PieceSender;
  const send = inner._sendMessage;
  if (typeof send !== 'function') return;
  inner._sendMessage = (pieces) => {
    send.call(stream, [concatBytes([...pieces])]);
  };
}
