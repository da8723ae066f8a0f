import { createFifoEcho } from './fifo-echo.ts';
import type { BenchHandles } from './handles.ts';
import { measure } from '../mesh/measure.ts';

/** Ordered and reliable, as libp2p's channels are; host candidates only. */
const CONFIGURATION: RTCConfiguration = { iceServers: [] };

/** The floor: echo over an RTCDataChannel with nothing of ours or libp2p's on it. */
export function createRawChannel(): Pick<BenchHandles, 'offer' | 'answer' | 'accept' | 'measureChannel'> {
  // kept, or the browser would collect it
  let connection: RTCPeerConnection | undefined;
  let channel: RTCDataChannel | undefined;
  return {
    async offer() {
      connection = new RTCPeerConnection(CONFIGURATION);
      channel = connection.createDataChannel('echo');
      channel.binaryType = 'arraybuffer';
      await connection.setLocalDescription();
      return gathered(connection);
    },
    async answer(offer) {
      connection = new RTCPeerConnection(CONFIGURATION);
      connection.ondatachannel = ({ channel: incoming }) => {
        incoming.binaryType = 'arraybuffer';
        incoming.onmessage = ({ data }) => {
          incoming.send(data as ArrayBuffer);
        };
      };
      await connection.setRemoteDescription({ type: 'offer', sdp: offer });
      await connection.setLocalDescription();
      return gathered(connection);
    },
    async accept(answer) {
      if (connection === undefined || channel === undefined) throw new Error('no offer was made');
      const opened = once(channel, 'open');
      await connection.setRemoteDescription({ type: 'answer', sdp: answer });
      await opened;
    },
    async measureChannel(payload, length) {
      const open = channel;
      if (open === undefined) throw new Error('the channel is not open');
      const bytes = new TextEncoder().encode(payload);
      const echo = createFifoEcho(() => {
        open.send(bytes);
      });
      open.onmessage = () => {
        echo.answered();
      };
      return measure(() => echo.call(), length);
    },
  };
}

/** The local description once every candidate is in it. */
async function gathered(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== 'complete') await once(connection, 'icegatheringstatechange');
  return connection.localDescription?.sdp ?? '';
}

function once(target: EventTarget, event: string): Promise<void> {
  return new Promise((resolve) => {
    target.addEventListener(event, () => resolve(), { once: true });
  });
}
