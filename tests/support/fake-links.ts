import type { Connection, RelayStatus } from '../../src/contracts/mesh.ts';
import { fakePeerId } from './fake-data.ts';
import type { Scenario } from './scenarios.ts';

const RETRY_MS = 8_000;

/** How a peer of the preview stands. */
export function connectionOf(scenario: Scenario): Connection {
  if (scenario === 'offline') {
    return { state: 'offline', message: 'The relay does not answer.', retryAt: Date.now() + RETRY_MS };
  }
  if (scenario === 'locked') {
    const message = 'relay.example.org:443: this relay wants its access key: ask for a new invite';
    return { state: 'offline', message, retryAt: Date.now() + RETRY_MS };
  }
  if (scenario === 'refused') {
    return { state: 'refused', message: 'the room has a new secret, and this device is not on its list of members' };
  }
  if (scenario === 'extreme') return { state: 'relayed' };
  return ['typical', 'failing', 'member', 'pair', 'dozen', 'cutoff'].includes(scenario)
    ? { state: 'direct' }
    : { state: 'alone' };
}

/** The relays of the preview: one that is there, and where much is configured, one that is not. */
export function relaysOf(scenario: Scenario): readonly RelayStatus[] {
  const away = (n: number, host: string): RelayStatus => ({
    peer: fakePeerId(n),
    host,
    state: 'offline',
    wantsKey: false,
    message: 'the relay cannot be reached',
    retryAt: Date.now() + RETRY_MS,
  });
  const first = 'relay.example.org:443';
  if (scenario === 'offline') return [away(900, first)];
  const here: RelayStatus = {
    peer: fakePeerId(900),
    host: first,
    state: 'joined',
    wantsKey: false,
    message: null,
    retryAt: null,
  };
  if (scenario === 'locked') {
    const message = 'this relay wants its access key: ask for a new invite';
    return [{ ...away(900, first), wantsKey: true, message }];
  }
  if (scenario !== 'extreme') return [here];
  return [
    here,
    away(901, 'a-relay-with-a-rather-long-name.department.university.example.org:8443'),
    {
      peer: fakePeerId(902),
      host: '[2001:db8::7]:4001',
      state: 'connecting',
      wantsKey: false,
      message: null,
      retryAt: null,
    },
  ];
}
