import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { mendInitChannel } from '../../../scripts/webrtc-init-channel.ts';

const MODULE = new URL(
  '../../../node_modules/@libp2p/webrtc/dist/src/private-to-private/initiate-connection.js',
  import.meta.url,
);

type Handshake = (channel: RTCDataChannel, signal: AbortSignal) => Promise<string>;

/** As the package of that name, as far as the module uses it. */
const pEvent = (target: EventTarget, names: string | readonly string[], { signal }: { readonly signal: AbortSignal }) =>
  new Promise((resolve, reject) => {
    for (const name of [names].flat()) target.addEventListener(name, resolve, { once: true });
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

/** The part of the module that waits for its handshake channel, as a function of its own. */
function handshakeOf(code: string): Handshake {
  const from = code.indexOf('if (channel.readyState');
  const body = code.slice(from, code.indexOf('onProgress?.(', from));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the module's own text is what is tested
  const make = new Function('pEvent', 'log', `return async (channel, signal) => { ${body}; return 'ready'; }`) as (
    ...given: readonly unknown[]
  ) => Handshake;
  return make(pEvent, { trace: () => undefined });
}

/** A data channel that the other side has closed already. */
function closedChannel(): RTCDataChannel {
  return Object.assign(new EventTarget(), {
    readyState: 'closed',
    close: () => undefined,
  }) as unknown as RTCDataChannel;
}

it('a handshake channel that was closed early does not hold up a dial', async () => {
  const code = await readFile(MODULE, 'utf8');
  const soon = () => AbortSignal.timeout(100);
  // as it is published: when this one passes, the change can go
  await expect(handshakeOf(code)(closedChannel(), soon())).rejects.toThrow();
  await expect(handshakeOf(mendInitChannel(code))(closedChannel(), soon())).resolves.toBe('ready');
});

it('code that it does not know is not touched', () => {
  expect(() => mendInitChannel('export {}')).toThrow('has changed');
});
