import type { Stream, StreamMuxer } from '@libp2p/interface';
import { defaultLogger } from '@libp2p/logger';
import { multiaddrConnectionPair } from '@libp2p/utils';
import { describe, expect, it } from 'vitest';
import { sparingYamux } from '../../../src/mesh/node/sparing-yamux.ts';

/** Two ends of a muxed connection in memory. */
async function muxed() {
  const [outbound, inbound] = multiaddrConnectionPair();
  const frames = { sent: 0 };
  for (const end of [outbound, inbound]) {
    const send = end.send.bind(end);
    end.send = (data) => {
      frames.sent++;
      return send(data);
    };
  }
  const factory = sparingYamux()({ logger: defaultLogger() });
  const muxers: readonly StreamMuxer[] = [factory.createStreamMuxer(outbound), factory.createStreamMuxer(inbound)];
  const accepted = new Promise<Stream>((resolve) => {
    muxers[1]!.addEventListener('stream', ({ detail }) => {
      resolve(detail);
    });
  });
  const opened = await muxers[0]!.createStream();
  return { opened, accepted: await accepted, frames };
}

const message = (stream: Stream) =>
  new Promise<number>((resolve) => {
    stream.addEventListener(
      'message',
      ({ data }) => {
        resolve(data.byteLength);
      },
      { once: true },
    );
  });

describe('yamux', () => {
  it('sends a frame for each small message, and few besides', async () => {
    const { opened, accepted, frames } = await muxed();
    accepted.addEventListener('message', ({ data }) => {
      accepted.send(data);
    });
    const calls = 200;
    for (let i = 0; i < calls; i++) {
      const answered = message(opened);
      opened.send(new Uint8Array(100));
      expect(await answered).toBe(100);
    }
    // as it comes, libp2p's takes four a call
    expect(frames.sent).toBeLessThan(2 * calls + 20);
  });

  it('never stops a stream that is read, however much it carries', async () => {
    const { opened, accepted } = await muxed();
    const total = 8 * 1024 * 1024;
    let got = 0;
    const all = new Promise<void>((resolve) => {
      accepted.addEventListener('message', ({ data }) => {
        got += data.byteLength;
        if (got >= total) resolve();
      });
    });
    for (let sent = 0; sent < total; sent += 64 * 1024) {
      if (!opened.send(new Uint8Array(64 * 1024))) {
        await new Promise((resolve) => {
          opened.addEventListener('drain', resolve, { once: true });
        });
      }
    }
    await all;
    expect(got).toBe(total);
  });
});
