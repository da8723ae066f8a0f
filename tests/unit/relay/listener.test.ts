import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { get as getPlain } from 'node:http';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createListener, type Listener } from '../../../relay/http/listener.ts';

const fixture = (name: string) => readFile(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const LOOPBACK = '127.0.0.1';

/** A listener whose only answer waits for `release`. */
async function held(tls: boolean) {
  const files = tls ? { cert: await fixture('cert.pem'), key: await fixture('key.pem') } : null;
  const listener: Listener = createListener(files);
  const port = await listener.listen(0, LOOPBACK);
  const asked = Promise.withResolvers<undefined>();
  const gate = Promise.withResolvers<undefined>();
  listener.serve((_request, response) => {
    asked.resolve(undefined);
    void gate.promise.then(() => response.end('answered'));
  });
  const options = { host: LOOPBACK, port, rejectUnauthorized: false };
  return {
    listener,
    asked: asked.promise,
    release: () => {
      gate.resolve(undefined);
    },
    connect: async () => {
      const socket = tls ? connectTls(options) : connect(options);
      await once(socket, tls ? 'secureConnect' : 'connect');
      return socket;
    },
    ask: () =>
      new Promise<string>((resolve, reject) => {
        const request = tls ? get({ ...options, agent: false }) : getPlain({ ...options, agent: false });
        request.on('error', reject).on('response', (response) => {
          response
            .setEncoding('utf8')
            .on('error', reject)
            .once('data', (text: string) => {
              resolve(text);
            });
        });
      }),
  };
}

describe.each([
  ['http', false],
  ['https', true],
])('an %s listener that closes', (_name, tls) => {
  test('does not wait for a connection on which nothing was asked', async () => {
    const { listener, connect: open } = await held(tls);
    const arrived = once(listener.server, tls ? 'secureConnection' : 'connection');
    const socket = await open();
    await arrived;
    const ended = once(socket, 'close');
    socket.resume();
    await listener.close();
    await ended;
  });

  test('lets a request that is running finish', async () => {
    const { listener, asked, release, ask } = await held(tls);
    const answer = ask();
    await asked;
    const closed = listener.close();
    release();
    await expect(answer).resolves.toBe('answered');
    await closed;
  });
});
