import { describe, expect, it } from 'vitest';
import type { WatchedCall } from '../../../src/contracts/calls.ts';
import type { MeshPeer } from '../../../src/contracts/mesh.ts';
import type { Place } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { CallRing } from '../../../src/app/tools/calls/call-ring.ts';
import {
  callerName,
  filterCalls,
  namesOf,
  outcomeOf,
  routeEnds,
  sizeText,
} from '../../../src/app/tools/calls/call-words.ts';

const id = (name: string) => name as PeerId;
const peer = (name: string, link: MeshPeer['link'], shown: string): MeshPeer =>
  ({ peer: id(name), device: `device-${name}`, name: shown, link }) as unknown as MeshPeer;
const place = (name: string, kind: Place['kind'] = 'peer'): Place => ({
  kind,
  peer: id(name),
  device: `device-${name}` as DeviceId,
  name,
});
const names = namesOf([peer('me', 'self', 'Me · 1'), peer('b', 'direct', 'Amber Heron · 7f3k2q')]);
const own = { kind: 'device', device: 'device-me' as DeviceId, peer: id('me') } as const;
const token = { kind: 'token', tokenId: 't', name: 'Cl\u202eaude', relay: id('r') } as const;

function call(n: number, more: Partial<WatchedCall> = {}): WatchedCall {
  return {
    ...{
      id: n,
      side: 'made',
      tool: 'echo',
      principal: own,
      at: 0,
      traceId: null,
      asked: null,
      argsSize: 2,
      tries: [],
      end: null,
    },
    ...more,
  };
}
const ended = (code?: 'timeout' | 'approval_pending'): WatchedCall['end'] => ({
  tookMs: 3,
  answerSize: null,
  error: code === undefined ? null : new TabmeshError(code, 'why').toWire(),
  route: null,
});

describe('the words for a call', () => {
  it('name both ends by who is here', () => {
    const tries = [{ place: place('b'), why: 'first' as const, startedMs: 0, tookMs: null, error: null }];
    expect(routeEnds(call(1, { tries }), names)).toEqual({ from: 'this tab', to: 'Amber Heron' });
    expect(routeEnds(call(1), names)).toEqual({ from: 'this tab', to: 'nowhere yet' });
    expect(routeEnds(call(1, { asked: id('b') }), names).to).toBe('Amber Heron');
    expect(routeEnds(call(1, { side: 'served', principal: token }), names)).toEqual({
      from: 'token “Cl⟨U+202E⟩aude”',
      to: 'this tab',
    });
    expect(callerName({ ...token, name: 'x', via: [{ device: 'device-b' as DeviceId }] }, names)).toBe(
      'token “x” through Amber Heron',
    );
  });

  it('say how it stands', () => {
    expect(outcomeOf(call(1))).toMatchObject({ outcome: 'running' });
    expect(outcomeOf(call(1, { end: ended() }))).toMatchObject({ outcome: 'done', tone: 'direct' });
    expect(outcomeOf(call(1, { end: ended('timeout') }))).toMatchObject({
      outcome: 'failed',
      word: 'timeout',
      tone: 'failed',
    });
    expect(outcomeOf(call(1, { end: ended('approval_pending') }))).toMatchObject({ word: 'Asked', tone: 'waiting' });
    expect([sizeText(1234), sizeText(null)]).toEqual(['≈ 1.23 KB', '> 262 KB']);
  });
});

describe('filterCalls', () => {
  const calls = [
    call(1, { side: 'served', tool: 'delete_dataset', principal: token, end: ended('timeout') }),
    call(2, { traceId: 'c0ffee', end: ended() }),
    call(3),
  ];
  const found = (filter: Partial<Parameters<typeof filterCalls>[1]>) =>
    filterCalls(calls, { side: 'all', outcome: 'all', words: '', ...filter }, names).map((each) => each.id);

  it('keeps the order, and takes what fits side, outcome and every word', () => {
    expect(found({})).toEqual([1, 2, 3]);
    expect(found({ side: 'made' })).toEqual([2, 3]);
    expect(found({ outcome: 'failed' })).toEqual([1]);
    expect(found({ outcome: 'running', side: 'served' })).toEqual([]);
    expect(found({ words: 'COFFEE'.replace('O', '0') })).toEqual([2]);
    expect(found({ words: 'delete timeout' })).toEqual([1]);
    expect(found({ words: 'delete echo' })).toEqual([]);
  });
});

describe('CallRing', () => {
  it('keeps the newest, each in its place and as it was last told', () => {
    const ring = new CallRing(3);
    expect([1, 2, 3].map((n) => ring.put(call(n)))).toEqual([true, true, true]);
    expect(ring.put(call(2, { end: ended() }))).toBe(false);
    expect(ring.newestFirst().map((each) => [each.id, each.end !== null])).toEqual([
      [3, false],
      [2, true],
      [1, false],
    ]);
    ring.put(call(4));
    expect(ring.newestFirst().map((each) => each.id)).toEqual([4, 3, 2]);
    ring.clear();
    expect(ring.newestFirst()).toEqual([]);
  });
});
