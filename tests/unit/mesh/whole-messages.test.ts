import { expect, it } from 'vitest';
import type { Stream } from '@libp2p/interface';
// the real one, so that a change of what it does inside is noticed here
import { WebRTCStream } from '../../../node_modules/@libp2p/webrtc/dist/src/stream.js';
import { sendWholeMessages } from '../../../src/mesh/rpc/whole-messages.ts';

function openStream() {
  const sent: Uint8Array[] = [];
  const channel = {
    id: 1,
    readyState: 'open',
    bufferedAmount: 0,
    send: (bytes: Uint8Array) => sent.push(new Uint8Array(bytes)),
    close: () => undefined,
  };
  const log = Object.assign(() => undefined, { trace: () => undefined, error: () => undefined });
  const init = { channel, id: '1', protocol: '/test/1', direction: 'outbound', log };
  const stream = new WebRTCStream(init as unknown as ConstructorParameters<typeof WebRTCStream>[0]);
  return { stream, sent, channel };
}

it.each([0x01, 0x7d, 0x7e, 0x7f, 0x80, 0x3ffc, 0x3fff, 0x4000])(
  'puts on the channel in one message what libp2p would put there in two (%i bytes)',
  (length) => {
    const bytes = new Uint8Array(length).fill(7);
    const plain = openStream();
    plain.stream.send(bytes);
    const whole = openStream();
    sendWholeMessages(whole.stream);
    whole.stream.send(bytes);
    expect(plain.sent).toHaveLength(2 * whole.sent.length);
    // libp2p cuts what is over 16 KiB with its overhead
    expect(whole.sent).toHaveLength(length < 16_370 ? 1 : 2);
    expect(Buffer.concat(whole.sent).equals(Buffer.concat(plain.sent))).toBe(true);
  },
);

it('sends nothing while the channel is not open', () => {
  const { stream, sent, channel } = openStream();
  sendWholeMessages(stream);
  channel.readyState = 'closing';
  expect(stream.send(new Uint8Array(3))).toBe(false);
  expect(sent).toEqual([]);
});

it('leaves a stream of another kind as it is', () => {
  const stream = { send: () => true } as unknown as Stream;
  sendWholeMessages(stream);
  expect(Object.keys(stream)).toEqual(['send']);
});
