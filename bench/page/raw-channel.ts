import { createFifoEcho } from './fifo-echo.ts';
import type { BenchHandles } from './handles.ts';
import { measure } from '../mesh/measure.ts';

/** Ordered and reliable, as libp2p's channels are; host candidates only. */
const CONFIGURATION: RTCConfiguration = { iceServers: [] };

/** What a page would send much in: larger ones are no faster. */
const BULK_MESSAGE_BYTES = 64 * 1024;
/** As much as libp2p lets wait in a channel. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024;
const LOW_WATER_BYTES = 512 * 1024;

/** The floor: echo, and much at once, over RTCDataChannels with nothing of ours or libp2p's on them. */
export function createRawChannel(): Pick<
  BenchHandles,
  'offer' | 'answer' | 'accept' | 'measureChannel' | 'measureChannelBulk'
> {
  // kept, or the browser would collect it
  let connection: RTCPeerConnection | undefined;
  let channel: RTCDataChannel | undefined;
  let bulk: RTCDataChannel | undefined;
  return {
    async offer() {
      connection = new RTCPeerConnection(CONFIGURATION);
      channel = connection.createDataChannel('echo');
      channel.binaryType = 'arraybuffer';
      bulk = connection.createDataChannel('bulk');
      bulk.binaryType = 'arraybuffer';
      await connection.setLocalDescription();
      return gathered(connection);
    },
    async answer(offer) {
      connection = new RTCPeerConnection(CONFIGURATION);
      connection.ondatachannel = ({ channel: incoming }) => {
        incoming.binaryType = 'arraybuffer';
        incoming.onmessage = ({ data }) => {
          if (incoming.label === 'bulk') void sendMuch(incoming, Number(data));
          else incoming.send(data as ArrayBuffer);
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
    measureChannelBulk(bytes) {
      const open = bulk;
      if (open === undefined) throw new Error('the channel is not open');
      const startedAt = performance.now();
      let received = 0;
      return new Promise((resolve) => {
        open.onmessage = ({ data }) => {
          received += (data as ArrayBuffer).byteLength;
          if (received >= bytes) resolve(performance.now() - startedAt);
        };
        open.send(String(bytes));
      });
    },
  };
}

/** Sends so many bytes as fast as the channel takes them. */
async function sendMuch(channel: RTCDataChannel, bytes: number): Promise<void> {
  const message = crypto.getRandomValues(new Uint8Array(BULK_MESSAGE_BYTES));
  channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
  for (let sent = 0; sent < bytes; sent += message.byteLength) {
    if (channel.bufferedAmount > HIGH_WATER_BYTES) await once(channel, 'bufferedamountlow');
    channel.send(message.subarray(0, Math.min(message.byteLength, bytes - sent)));
  }
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
