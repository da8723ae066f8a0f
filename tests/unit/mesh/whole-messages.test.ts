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
  return { stream, sent };
}

it('puts on the channel in one message what libp2p would put there in two', () => {
  const bytes = new TextEncoder().encode('a call');
  const plain = openStream();
  plain.stream.send(bytes);
  const whole = openStream();
  sendWholeMessages(whole.stream);
  whole.stream.send(bytes);
  expect(plain.sent).toHaveLength(2);
  expect(whole.sent).toHaveLength(1);
  expect(Buffer.concat(whole.sent)).toEqual(Buffer.concat(plain.sent));
});

it('leaves a stream of another kind as it is', () => {
  const stream = { send: () => true } as unknown as Stream;
  sendWholeMessages(stream);
  expect(Object.keys(stream)).toEqual(['send']);
});
