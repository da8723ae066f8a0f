import { describe, expect, it } from 'vitest';
import type { CallRequest, CallResult, ToolMetadata } from '../../../src/contracts/tools.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { Tool } from '../../../src/tools/define-tool.ts';
import { notSent } from '../../../src/tools/remote.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { appPrincipal, tokenPrincipal } from '../../support/ports.ts';
import { peerId, roomPeer, testRemotes, type TestRemotes } from '../../support/room.ts';
import { testRouter, type TestRouter } from '../../support/router.ts';
import { failure, localTools, sampleTool } from '../../support/tools.ts';

const tool = sampleTool();
const { metadata } = tool;
const auto = sampleTool({ runtime: 'auto' });
const relayOnly = sampleTool({ runtime: 'relay' });
const repeatable = sampleTool({ idempotent: true });
const request: CallRequest = { tool: 'sample', args: { text: 'here' }, principal: appPrincipal };

function room(remotes: TestRemotes, own: readonly Tool[] = [], kind: 'tab' | 'relay' = 'tab'): TestRouter {
  return testRouter(remotes, { own, kind });
}

function chosen(result: CallResult): string | undefined {
  return result.route?.chosen.peer;
}

function errorOf(result: CallResult) {
  if (result.ok) throw new Error('expected the call to fail');
  return result.error;
}

describe('where a call runs', () => {
  it('is here, when the app asks and this tab offers the tool', async () => {
    const result = await room(testRemotes(roomPeer('a', [metadata], { latencyMs: 0 })), [tool]).call(request);
    expect(result).toMatchObject({ ok: true, value: { text: 'here' } });
    expect(result.route?.chosen.kind).toBe('self');
  });

  it('is a tab in view rather than the relay itself, for a client of the relay', async () => {
    for (const offered of [tool, auto]) {
      const remotes = testRemotes(roomPeer('a', [offered.metadata], { latencyMs: 400 }));
      const result = await room(remotes, [offered], 'relay').call({ ...request, principal: tokenPrincipal });
      expect(chosen(result)).toBe('a');
    }
  });

  it.each([{ visible: false }, { direct: false }])(
    'is the relay itself for auto work, not a tab with %j',
    async (state) => {
      const remotes = testRemotes(roomPeer('a', [auto.metadata], { latencyMs: 0, ...state }));
      expect((await room(remotes, [auto], 'relay').call(request)).route?.chosen.kind).toBe('self');
    },
  );

  it('is any tab before a relay for mesh work, and a relay when no tab is there', async () => {
    const relay = roomPeer('r', [metadata], { kind: 'relay', latencyMs: 0 });
    const tab = roomPeer('a', [metadata], { visible: false, direct: false, latencyMs: 900 });
    const remotes = testRemotes(relay, tab);
    const tools = room(remotes);
    expect(chosen(await tools.call(request))).toBe('a');
    remotes.set([relay]);
    expect(chosen(await tools.call(request))).toBe('r');
  });

  it('is a relay and nowhere else for relay work', async () => {
    const remotes = testRemotes(
      roomPeer('a', [relayOnly.metadata]),
      roomPeer('r', [relayOnly.metadata], { kind: 'relay' }),
    );
    const result = await room(remotes, [relayOnly]).call(request);
    expect(chosen(result)).toBe('r');
    expect(result.route?.candidates.map(({ place, excluded }) => [place.peer, excluded])).toEqual([
      ['r', null],
      ['a', 'runs on a relay only'],
      ['peer-self', 'runs on a relay only'],
    ]);
  });

  it('is explained, every place with its reasons, best first', async () => {
    const remotes = testRemotes(
      roomPeer('c', [], {}),
      roomPeer('b', [metadata], { visible: false, direct: false, latencyMs: null }),
      roomPeer('a', [metadata], { latencyMs: 12.4 }),
    );
    const result = await room(remotes).call(request);
    expect(result.route?.candidates).toEqual([
      expect.objectContaining({ reasons: ['direct link', '12 ms', 'tab is in view'], excluded: null }),
      expect.objectContaining({
        reasons: ['reached through a relay', 'latency not measured yet', 'tab is hidden'],
        excluded: null,
      }),
      expect.objectContaining({ reasons: [], excluded: 'does not offer the tool' }),
      expect.objectContaining({ reasons: [], excluded: 'does not offer the tool' }),
    ]);
  });

  it('is drawn among equals, two of them, the less busy one', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata]), roomPeer('b', [metadata]), roomPeer('c', [metadata]));
    const draws = [0.5, 0, 0.99, 0.99];
    const tools = testRouter(remotes, { random: () => draws.shift() ?? 0 });
    const first = await tools.call(request);
    expect(chosen(first)).toBe('b');
    expect(first.route?.why).toBe('the less busy of two drawn from 3 that are as good');
    expect(chosen(await tools.call(request))).toBe('c');
  });

  it('moves on to another tab while one is busy', async () => {
    let finish: (() => void) | undefined;
    const serve = () =>
      new Promise(
        (resolve) =>
          (finish = () => {
            resolve({ text: 'a' });
          }),
      );
    const remotes = testRemotes(roomPeer('a', [metadata], { serve }), roomPeer('b', [metadata]));
    const tools = room(remotes);
    const first = tools.call(request);
    const second = await tools.call(request);
    expect(chosen(second)).toBe('b');
    expect(second.route?.candidates[1]?.reasons).toContain('1 call in flight there');
    finish?.();
    await first;
    expect(chosen(await tools.call(request))).toBe('a');
  });

  it('is among those with the newest version of the tool only', async () => {
    const newer = sampleTool({ schemaVersion: '1.10' }).metadata;
    const older = sampleTool({ schemaVersion: '1.9' }).metadata;
    const remotes = testRemotes(roomPeer('a', [older]), roomPeer('b', [newer], { latencyMs: 400 }));
    const tools = room(remotes);
    const result = await tools.call(request);
    expect(chosen(result)).toBe('b');
    expect(result.route?.candidates[1]?.excluded).toBe('offers version 1.9; 1.10 is the newest here');
    expect(tools.list()[0]?.places.map(({ peer }) => peer)).toEqual(['b']);
  });

  it('is among those with the version of this peer, whatever newer one another offers', async () => {
    const newer = sampleTool({ schemaVersion: '99.0', access: 'admin' }).metadata;
    const remotes = testRemotes(roomPeer('a', [newer], { latencyMs: 0 }), roomPeer('b', [metadata]));
    const tools = room(remotes, [tool]);
    const result = await tools.call(request);
    expect(chosen(result)).toBe('peer-self');
    expect(result.route?.candidates.find(({ place }) => place.peer === 'a')?.excluded).toBe(
      'is administered by itself only',
    );
    expect(tools.list()).toMatchObject([{ metadata: { schemaVersion: metadata.schemaVersion, access: 'read' } }]);
    expect(tools.list()[0]?.places.map(({ peer }) => peer)).toEqual(['peer-self', 'b']);
    remotes.set([roomPeer('a', [sampleTool({ schemaVersion: '99.0' }).metadata], { latencyMs: 0 })]);
    expect((await tools.call(request)).route?.candidates[1]?.excluded).toMatch(/offers version 99\.0; this peer/);
    expect(remotes.calls).toEqual([]);
  });

  it('is not told by an offer that could run nowhere', async () => {
    const administered = sampleTool({ schemaVersion: '99.0', access: 'admin' }).metadata;
    const relayed = sampleTool({ schemaVersion: '98.0', runtime: 'relay' }).metadata;
    const remotes = testRemotes(roomPeer('a', [administered]), roomPeer('b', [relayed]), roomPeer('c', [metadata]));
    expect(chosen(await room(remotes).call(request))).toBe('c');
  });

  it('is among those whose definition the caller accepts', async () => {
    const newer = sampleTool({ schemaVersion: '99.0', runtime: 'relay' }).metadata;
    const remotes = testRemotes(roomPeer('a', [newer], { kind: 'relay' }), roomPeer('b', [metadata]));
    const tools = room(remotes);
    const accepts = ({ schemaVersion }: ToolMetadata) => schemaVersion === metadata.schemaVersion;
    expect(chosen(await tools.call(request))).toBe('a');
    expect(chosen(await tools.call(request, { accepts }))).toBe('b');
    const refused = await tools.call({ ...request, place: peerId('a') }, { accepts });
    expect(refused).toMatchObject({ ok: false, error: { code: 'no_place' } });
    remotes.set([roomPeer('b', [newer], { kind: 'relay' })]);
    expect(await tools.call(request, { accepts })).toMatchObject({ ok: false, error: { code: 'no_place' } });
    expect(remotes.calls).toEqual(['a', 'b']);
  });
});

describe('a pinned call', () => {
  it('runs there and nowhere else', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata]), roomPeer('b', [metadata], { latencyMs: 400 }));
    const result = await room(remotes, [tool]).call({ ...request, place: peerId('b') });
    expect(result).toMatchObject({ ok: true, value: { text: 'b' } });
    expect(remotes.calls).toEqual(['b']);
  });

  it('does not move when the place fails', async () => {
    const serve = () => Promise.reject(notSent('gone'));
    const remotes = testRemotes(roomPeer('a', [repeatable.metadata]), roomPeer('b', [repeatable.metadata], { serve }));
    const result = await room(remotes).call({ ...request, place: peerId('b') });
    expect(errorOf(result).code).toBe('peer_unreachable');
    expect(remotes.calls).toEqual(['b']);
  });

  it('says when the place is gone, or does not offer the tool', async () => {
    const tools = room(testRemotes(roomPeer('a', [])), [tool]);
    expect(errorOf(await tools.call({ ...request, place: peerId('z') })).code).toBe('peer_unreachable');
    expect(errorOf(await tools.call({ ...request, place: peerId('a') }))).toMatchObject({
      code: 'no_place',
      message: 'sample cannot run at a: does not offer the tool',
    });
  });
});

describe('when nobody can run it', () => {
  it('tells an unknown name, with the nearest ones', async () => {
    const error = errorOf(await room(testRemotes(roomPeer('a', [metadata]))).call({ ...request, tool: 'smaple' }));
    expect(error).toMatchObject({ code: 'unknown_tool', hint: 'Did you mean sample?' });
  });

  it('tells a tool whose last place has left', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata]));
    const tools = room(remotes);
    expect(tools.list()).toHaveLength(1);
    remotes.set([]);
    expect(errorOf(await tools.call(request))).toMatchObject({ code: 'no_place', retryable: true });
  });

  it('tells that a relay is needed', async () => {
    const error = errorOf(await room(testRemotes(), [relayOnly]).call(request));
    expect(error.code).toBe('no_place');
    expect(error.hint).toContain('relay');
    expect(error.details['excluded']).toEqual([
      { peer: 'peer-self', name: 'Amber Heron', reason: 'runs on a relay only' },
    ]);
  });
});

describe('when a place fails', () => {
  const both = (offered: Tool, error: TabmeshError) =>
    testRemotes(
      roomPeer('a', [offered.metadata], { serve: () => Promise.reject(error) }),
      roomPeer('b', [offered.metadata]),
    );

  it('goes on to the next when the request never left', async () => {
    const remotes = both(tool, notSent('cannot dial a'));
    const result = await room(remotes).call(request);
    expect(result).toMatchObject({ ok: true, value: { text: 'b' } });
    expect(result.route?.candidates.slice(0, 2).map(({ excluded }) => excluded)).toEqual(['cannot dial a', null]);
  });

  it('does not begin again what has begun', async () => {
    const remotes = both(tool, new TabmeshError('peer_unreachable', 'lost a'));
    expect(errorOf(await room(remotes).call(request)).code).toBe('peer_unreachable');
    expect(remotes.calls).toEqual(['a']);
  });

  it.each(['peer_unreachable', 'rate_limited'] as const)('begins an idempotent one again after %s', async (code) => {
    const remotes = both(repeatable, new TabmeshError(code, 'not now'));
    expect(await room(remotes).call(request)).toMatchObject({ ok: true, value: { text: 'b' } });
  });

  it('takes an error of the tool itself as the answer', async () => {
    const remotes = both(repeatable, new TabmeshError('upstream_error', 'PubMed is down'));
    expect(errorOf(await room(remotes).call(request)).code).toBe('upstream_error');
    expect(remotes.calls).toEqual(['a']);
  });

  it('gives the last error when no place is left', async () => {
    const serve = () => Promise.reject(notSent('gone'));
    const remotes = testRemotes(roomPeer('a', [metadata], { serve }), roomPeer('b', [metadata], { serve }));
    const result = await room(remotes).call(request);
    expect(errorOf(result).code).toBe('peer_unreachable');
    expect(remotes.calls).toEqual(['a', 'b']);
    expect(chosen(result)).toBe('b');
  });

  it('refuses an answer of another peer that breaks the tool as this peer knows it', async () => {
    const serve = () => Promise.resolve({ text: 5 });
    const remotes = testRemotes(roomPeer('a', [metadata], { serve }));
    const result = await room(remotes, [tool]).call({ ...request, place: peerId('a') });
    expect(errorOf(result).code).toBe('invalid_output');
  });

  it('never throws, whatever the mesh does', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata]));
    const broken = { ...remotes, list: () => remotes.list() };
    broken.call = () => {
      throw new Error('a bug in the mesh');
    };
    expect(errorOf(await room(broken).call(request))).toMatchObject({ code: 'tool_failed' });
    broken.list = () => {
      throw new Error('another');
    };
    expect(errorOf(await room(broken).call(request))).toMatchObject({ code: 'internal', message: 'another' });
  });
});

describe('errors are alike here and elsewhere', () => {
  const cases: [string, unknown][] = [
    ['sample', { text: 1 }],
    ['sample', { other: 1 }],
    ['sample', { text: 'a'.repeat(2 ** 20) }],
    ['writes', {}],
  ];
  it.each(cases)('%s', async (name, args) => {
    const tools = [tool, sampleTool({ name: 'writes', access: 'write' })];
    const local = localTools(tools, systemClock);
    const call = { ...request, tool: name, args, principal: tokenPrincipal };
    const direct = await failure(() => local.call(call));
    const serve = (given: unknown) => local.call({ ...call, args: given });
    const remote = room(testRemotes(roomPeer('a', local.list(), { serve })));
    expect(errorOf(await room(testRemotes(), tools).call(call))).toEqual(direct.toWire());
    expect(errorOf(await remote.call(call))).toEqual(direct.toWire());
  });

  it('sends nothing that is too large to serve', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata]));
    await room(remotes).call({ ...request, args: { text: 'a'.repeat(2 ** 20) } });
    expect(remotes.calls).toEqual([]);
  });
});

describe('time', () => {
  const hang = () => new Promise<never>(() => undefined);

  it('has one deadline for all places together', async () => {
    const clock = manualClock();
    const slowlyUnreachable = async () => {
      await clock.sleep(60);
      throw notSent('gone');
    };
    const remotes = testRemotes(
      roomPeer('a', [metadata], { serve: slowlyUnreachable }),
      roomPeer('b', [metadata], { serve: hang }),
    );
    const tools = testRouter(remotes, { clock });
    const ended = tools.call(request, { timeoutMs: 100 });
    await clock.advance(100);
    const result = await ended;
    expect(errorOf(result).code).toBe('timeout');
    expect(result.tookMs).toBe(100);
    expect(remotes.calls).toEqual(['a', 'b']);
    expect(clock.sleepers()).toBe(0);
  });

  it('begins nowhere when cancelled before, and stops when cancelled later', async () => {
    const remotes = testRemotes(roomPeer('a', [metadata], { serve: hang }));
    const tools = room(remotes);
    expect(errorOf(await tools.call(request, { signal: AbortSignal.abort() })).code).toBe('cancelled');
    expect(remotes.calls).toEqual([]);
    const controller = new AbortController();
    const ended = tools.call(request, { signal: controller.signal });
    await settle();
    controller.abort();
    expect(errorOf(await ended).code).toBe('cancelled');
  });
});

describe('the list of tools', () => {
  it('is ordered, with the places that can run each, this peer first', () => {
    const other = sampleTool({ name: 'another' });
    const remotes = testRemotes(
      roomPeer('b', [metadata]),
      roomPeer('a', [metadata, other.metadata, relayOnly.metadata]),
    );
    const list = room(remotes, [tool]).list();
    expect(list.map(({ metadata: { name }, places }) => [name, ...places.map(({ peer }) => peer)])).toEqual([
      ['another', 'a'],
      ['sample', 'peer-self', 'a', 'b'],
    ]);
  });

  it('announces that peers changed, until unsubscribed', () => {
    const remotes = testRemotes();
    let told = 0;
    const off = room(remotes).subscribe(() => (told += 1));
    remotes.set([roomPeer('a', [metadata])]);
    off();
    remotes.set([]);
    expect(told).toBe(1);
  });
});
