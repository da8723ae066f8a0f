import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { RelayServices } from '../../../src/peer/room/relay-services.ts';

const signal = AbortSignal.timeout(10_000);
const unreachable = (sent: boolean) => new TabmeshError('peer_unreachable', 'gone', { details: { sent } });

/** The services of these relays, each at `NAME.example:443`. @returns them, and who was asked */
function makeServices(relays: Readonly<Record<string, TabmeshError | null>>, pageHost: string | null = null) {
  const asked: string[] = [];
  const request = (peer: PeerId) => {
    asked.push(peer);
    const failure = relays[peer] ?? null;
    if (failure !== null) return Promise.reject(failure);
    return Promise.resolve({ ticket: `of ${peer}`, url: 'https://x/fetch', expiresAt: 1e15 });
  };
  const relayMembers = () => Object.keys(relays).map((peer) => ({ peer: peer as PeerId, host: `${peer}.example:443` }));
  return { services: new RelayServices({ relayMembers, request }, () => 0, pageHost), asked };
}

describe('what a member asks of the relays of its room', () => {
  it('goes to the relay of its page first, which serves its fetches', async () => {
    const { services, asked } = makeServices({ a: null, b: null }, 'b.example:443');
    expect(await services.ticket(false, signal)).toMatchObject({ ticket: 'of b' });
    expect(asked).toEqual(['b']);
  });

  it('goes to another one when that cannot be reached', async () => {
    const { services, asked } = makeServices({ a: null, b: unreachable(false) }, 'b.example:443');
    expect(await services.ticket(false, signal)).toMatchObject({ ticket: 'of a' });
    expect(asked).toEqual(['b', 'a']);
  });

  it.each([
    ['it may have arrived', unreachable(true)],
    ['the relay refuses', new TabmeshError('rate_limited', 'too many')],
  ])('is not asked of another one when %s', async (_why, failure) => {
    const { services, asked } = makeServices({ a: failure, b: null });
    await expect(services.ticket(false, signal)).rejects.toBe(failure);
    expect(asked).toEqual(['a']);
  });

  it('is told to be in vain in a room without a relay', async () => {
    const { services } = makeServices({});
    expect(services.available).toBe(false);
    await expect(services.ticket(false, signal)).rejects.toMatchObject({ code: 'no_place' });
  });
});
