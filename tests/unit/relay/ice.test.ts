import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseIce } from '../../../relay/config/ice.ts';
import { directAddresses, webrtcDirect } from '../../../relay/config/webrtc-direct.ts';
import { iceGrant, TURN_CREDENTIAL_MS } from '../../../relay/ice.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { manualClock } from '../../support/manual-clock.ts';

const peer = '12D3KooWPeer' as PeerId;

describe('the STUN and TURN servers that a relay tells of', () => {
  it('come with credentials for an hour, by coturn’s convention', () => {
    const clock = manualClock(1_700_000_000_500);
    const config = { stun: ['stun:s'], turn: ['turn:t'], turnSecret: 'shared' };
    const { ice, iceTtlMs } = iceGrant(config, peer, clock);
    const username = `1700003600:${peer}`;
    const credential = createHmac('sha1', 'shared').update(username).digest('base64');
    expect(iceTtlMs).toBe(TURN_CREDENTIAL_MS);
    expect(ice).toEqual([{ urls: ['stun:s'] }, { urls: ['turn:t'], username, credential }]);
  });

  it('are for good without TURN, and none when none are set', () => {
    const clock = manualClock(0);
    expect(iceGrant({ stun: ['stun:s'], turn: [], turnSecret: null }, peer, clock)).toEqual({
      ice: [{ urls: ['stun:s'] }],
      iceTtlMs: null,
    });
    expect(iceGrant({ stun: [], turn: [], turnSecret: null }, peer, clock).ice).toEqual([]);
  });

  it.each([
    [['https://s'], [], undefined],
    [['turn:t'], [], undefined],
    [[], ['stun:s'], 'file'],
    [[], ['turn:t?transport=sctp'], 'file'],
    [[], ['turn:t'], undefined],
    [[], [], 'file'],
  ] as const)('are refused as %j, %j with the secret in %j', (stun, turn, file) => {
    expect(() => parseIce(stun, turn, file)).toThrow(expect.objectContaining({ code: 'invalid_input' }) as Error);
  });

  it('take addresses of IPv6 and a transport', () => {
    const { stun, turn } = parseIce(['stun:[2001:db8::1]:3478'], ['turns:t.example.org:443?transport=tcp'], 'file');
    expect([stun, turn]).toEqual([['stun:[2001:db8::1]:3478'], ['turns:t.example.org:443?transport=tcp']]);
  });
});

describe('--webrtc-direct', () => {
  it.each([
    ['9000', '127.0.0.1', ['/ip4/127.0.0.1/udp/9000/webrtc-direct']],
    ['9000', '0.0.0.0', ['/ip4/192.0.2.7/udp/9000/webrtc-direct', '/ip6/2001:db8::7/udp/9000/webrtc-direct']],
    ['203.0.113.5:9000', '0.0.0.0', ['/ip4/203.0.113.5/udp/9000/webrtc-direct']],
    ['[2001:db8::5]:9000', '::', ['/ip6/2001:db8::5/udp/9000/webrtc-direct']],
  ])('%s on %s is announced as %j', (value, host, announced) => {
    const choice = webrtcDirect(value);
    if (choice === null) throw new Error('none');
    expect(directAddresses(choice, host, ['192.0.2.7', '2001:db8::7']).announce).toEqual(announced);
  });

  it.each(['0', '65536', 'x', 'relay.example.org:9000', ':9000', '1.2.3.4:'])('refuses %j', (value) => {
    expect(() => webrtcDirect(value)).toThrow(expect.objectContaining({ code: 'invalid_input' }) as Error);
  });

  it('refuses a host name, which browsers do not look up for WebRTC', () => {
    const choice = { port: 9000, address: null };
    expect(() => directAddresses(choice, 'relay.example.org')).toThrow(
      expect.objectContaining({ code: 'invalid_input' }) as Error,
    );
  });
});
