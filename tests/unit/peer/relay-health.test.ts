import { expect, it } from 'vitest';
import type { HttpFetch } from '../../../src/lib/http-fetch.ts';
import { askRelayHealth } from '../../../src/peer/room/relay-health.ts';

const way = (host: string) => ({ host, origin: `https://${host}` });
const up = (headers: Record<string, string> = {}) => Response.json({ status: 'up' }, { headers });
const signal = new AbortController().signal;

function ask(hosts: readonly string[], fetch: HttpFetch, now: () => number = () => 0) {
  return askRelayHealth({ ways: hosts.map(way) }, fetch, now, signal);
}

it('takes the first of the addresses that answers, and lets go of the others', async () => {
  let left = false;
  const answer = await ask(['a', 'b'], (url, init) => {
    if (url === 'https://b/health') return Promise.resolve(up());
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => {
        left = true;
        reject(new Error('left'));
      });
    });
  });
  expect(answer).toMatchObject({ host: 'b', clockOffsetMs: null });
  expect(left).toBe(true);
});

it('compares the clocks by the Date header, half way through the request', async () => {
  const times = [100_000, 101_000];
  const date = new Date(160_000).toUTCString();
  const answer = await ask(
    ['a'],
    () => Promise.resolve(up({ date })),
    () => times.shift() ?? 0,
  );
  expect(answer).toEqual({ host: 'a', tookMs: 1_000, clockOffsetMs: 60_000 });
});

it('says when nobody is there', async () => {
  const refused = () => Promise.reject(new TypeError('fetch failed'));
  await expect(ask(['a', 'b'], refused)).rejects.toMatchObject({
    code: 'upstream_unreachable',
    message: 'nobody there',
  });
});

it.each([
  ['a page', () => new Response('<html>hotel Wi-Fi</html>')],
  ['an error', () => Response.json({ status: 'up' }, { status: 502 })],
  ['other JSON', () => Response.json({ ok: true })],
])('says when something else answers: %s', async (_what, answer) => {
  const fetch: HttpFetch = (url) =>
    url.includes('//a/') ? Promise.reject(new TypeError()) : Promise.resolve(answer());
  await expect(ask(['a', 'b'], fetch)).rejects.toMatchObject({ code: 'upstream_malformed' });
});

it('asks nothing of a relay that has no HTTP', async () => {
  const answer = askRelayHealth(
    { ways: [{ host: '10.0.0.1:1/udp', origin: null }] },
    () => Promise.reject(new Error()),
    () => 0,
    signal,
  );
  expect(await answer).toHaveProperty('skip');
});

it('ends when it is told to', async () => {
  const stop = new AbortController();
  const never: HttpFetch = (_url, init) =>
    new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const asked = askRelayHealth({ ways: [way('a')] }, never, () => 0, stop.signal);
  stop.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
