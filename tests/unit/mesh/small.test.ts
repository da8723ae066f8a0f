import fc from 'fast-check';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { PeerId } from '../../../src/lib/ids.ts';
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, backoffMs } from '../../../src/mesh/links/backoff.ts';
import { isPublicProtocol, publicOnly } from '../../../src/mesh/membership/protocols.ts';
import { roomGater } from '../../../src/mesh/node/gater.ts';
import { isAt, parseRelayAddress, throughRelay } from '../../../src/mesh/node/relay-address.ts';
import { decodeJoinTopic, decodeRendezvousEvent } from '../../../src/mesh/rendezvous/messages.ts';
import { TokenBucket } from '../../../src/mesh/rpc/token-bucket.ts';

const RELAY = '12D3KooWLiotqApKbtDdNaFQpcQKZE5NK4pcGVMQYSrfUyjMsfJr';
const OTHER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2' as PeerId;

describe('backoff', () => {
  it('grows, stays within its bounds and is never immediate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const ms = backoffMs(attempt, () => random);
          expect(ms).toBeGreaterThanOrEqual(BACKOFF_MIN_MS / 2);
          expect(ms).toBeLessThanOrEqual(BACKOFF_MAX_MS);
        },
      ),
    );
    expect(backoffMs(3, () => 0.5)).toBeGreaterThan(backoffMs(1, () => 0.5));
  });
});

describe('a token bucket', () => {
  it('never lets more through than its burst and its rate together', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }), (pauses) => {
        let now = 0;
        const bucket = new TokenBucket(10, 100, { now: () => now, sleep: () => Promise.resolve() });
        let passed = 0;
        for (const pause of pauses) {
          now += pause;
          if (bucket.take(1)) passed++;
        }
        expect(passed).toBeLessThanOrEqual(10 + (now / 1000) * 100 + 1);
      }),
    );
  });
});

describe('the gater of a room', () => {
  const relay = parseRelayAddress(`/ip4/192.168.1.5/tcp/8787/ws/p2p/${RELAY}`);
  const { denyDialMultiaddr } = roomGater(() => [relay]);
  const denied = (text: string) => denyDialMultiaddr?.(multiaddr(text));

  it.each([
    ['the relay', `/ip4/192.168.1.5/tcp/8787/ws/p2p/${RELAY}`],
    ['a room behind its port', `/ip4/192.168.1.5/tcp/8787/ws/http-path/room%2Fx/p2p/${OTHER}`],
    ['a member through it', throughRelay(relay, OTHER, true).toString()],
  ])('allows %s', (_what, address) => {
    expect(denied(address)).toBe(false);
  });

  it.each([
    ['another port of the host', `/ip4/192.168.1.5/tcp/22/ws/p2p/${RELAY}`],
    ['another host', `/dns4/example.org/tcp/443/tls/ws/p2p/${RELAY}`],
    ['a member through another relay', `/ip4/10.0.0.1/tcp/8787/ws/p2p/${RELAY}/p2p-circuit/p2p/${OTHER}`],
    ['what is no WebSocket', `/ip4/192.168.1.5/tcp/8787/p2p/${RELAY}`],
  ])('denies %s', (_what, address) => {
    expect(denied(address)).toBe(true);
  });
});

describe('a relay address', () => {
  it('is read with its host and peer', () => {
    expect(parseRelayAddress(`/dns4/relay.example.org/tcp/443/tls/ws/p2p/${RELAY}`)).toMatchObject({
      peer: RELAY,
      host: 'relay.example.org:443',
    });
  });

  it.each(['', 'https://relay.example.org', '/ip4/1.2.3.4/tcp/1/ws', `/ip4/1.2.3.4/udp/1/p2p/${RELAY}`])(
    'that is %j is refused',
    (text) => {
      expect(() => parseRelayAddress(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );
});

describe('who is at a relay', () => {
  const relay = parseRelayAddress(`/dns4/relay.example.org/tcp/443/tls/ws/p2p/${RELAY}`);

  it('is whoever answers at its port', () => {
    expect(isAt(relay, multiaddr(`/dns4/relay.example.org/tcp/443/tls/ws/http-path/room%2Fx/p2p/${OTHER}`))).toBe(true);
  });

  it.each([
    ['a member behind its circuit', throughRelay(relay, OTHER, false).toString()],
    ['a member that was signalled through it', throughRelay(relay, OTHER, true).toString()],
    ['a member over WebRTC', `/webrtc/p2p/${OTHER}`],
    ['another port of its host', `/dns4/relay.example.org/tcp/8443/tls/ws/p2p/${OTHER}`],
  ])('is not %s', (_what, address) => {
    expect(isAt(relay, multiaddr(address))).toBe(false);
  });
});

describe('public protocols', () => {
  it('are the few that introduce, in both directions, and rendezvous outwards', () => {
    expect(
      publicOnly(['/ipfs/id/1.0.0', '/ipfs/bitswap/1.2.0', '/mcp+p2p/1.0.0', '/tabmesh/replica/1', '/tabmesh/join/1']),
    ).toEqual(['/ipfs/id/1.0.0', '/tabmesh/join/1']);
    expect(isPublicProtocol('/tabmesh/rendezvous/1', 'outbound')).toBe(true);
    expect(isPublicProtocol('/tabmesh/rendezvous/1', 'inbound')).toBe(false);
    expect(isPublicProtocol('/anything/else', 'outbound')).toBe(false);
  });
});

describe('rendezvous messages', () => {
  it('from anybody throw nothing but protocol errors', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        for (const decode of [decodeJoinTopic, decodeRendezvousEvent]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: 'protocol_error' });
          }
        }
      }),
    );
  });
});
