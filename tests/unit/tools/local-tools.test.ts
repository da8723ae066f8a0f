import { describe, expect, it } from 'vitest';
import type { ToolProgress } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { memberPrincipal, selfPeer } from '../../support/ports.ts';
import { failure, failureCode, localTools, sampleTool } from '../../support/tools.ts';

const request = { tool: 'sample', args: { text: 'hi' }, principal: memberPrincipal };
const never = () => new Promise<never>(() => undefined);

describe('createLocalTools', () => {
  it('runs a tool with its ports and principal, and counts it', async () => {
    const local = localTools(
      [
        sampleTool({
          run: ({ ports, principal }, { text }) =>
            Promise.resolve({ text: `${text} ${ports.self.peer} ${principal.kind}` }),
        }),
      ],
      systemClock,
    );
    let told = 0;
    local.counters.subscribe(() => (told += 1));
    expect(await local.call(request)).toEqual({ text: `hi ${selfPeer} device` });
    expect(local.counters.served()).toEqual({ sample: 1 });
    expect(told).toBe(1);
  });

  it('runs and counts nothing that is refused', async () => {
    let ran = 0;
    const run = () => {
      ran += 1;
      return Promise.resolve({ text: '' });
    };
    const local = localTools([sampleTool({ run }), sampleTool({ name: 'writes', access: 'write', run })], systemClock);
    expect(await failureCode(() => local.call({ ...request, args: { text: 1 } }))).toBe('invalid_input');
    expect(await failureCode(() => local.call({ ...request, tool: 'nothing' }))).toBe('unknown_tool');
    expect(await failureCode(() => local.call({ ...request, tool: 'writes' }))).toBe('forbidden');
    expect(await failureCode(() => local.call(request, { signal: AbortSignal.abort() }))).toBe('cancelled');
    expect(ran).toBe(0);
    expect(local.counters.served()).toEqual({});
  });

  it('ends at the deadline of the tool, even when the tool does not heed its signal', async () => {
    const clock = manualClock();
    const local = localTools([sampleTool({ run: never, timeoutMs: 90_000 })], clock);
    const ended = failure(() => local.call(request));
    await clock.advance(89_999);
    await clock.advance(1);
    expect(await ended).toMatchObject({
      code: 'timeout',
      message: 'sample did not finish within 1.5 min',
      details: { timeoutMs: 90_000 },
    });
  });

  it('takes a deadline of the caller, and tells the tool when it passes', async () => {
    const clock = manualClock();
    let reason: unknown;
    const run = ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(new Error('the tool noticed'));
        });
      });
    const local = localTools([sampleTool({ run })], clock);
    const ended = failureCode(() => local.call(request, { timeoutMs: 20 }));
    await clock.advance(20);
    expect(await ended).toBe('timeout');
    expect(reason).toMatchObject({ code: 'timeout' });
  });

  it('leaves no timer behind after success, failure and cancellation', async () => {
    const clock = manualClock();
    const local = localTools(
      [sampleTool(), sampleTool({ name: 'fails', run: () => Promise.reject(new Error('x')) })],
      clock,
    );
    await local.call(request);
    await failure(() => local.call({ ...request, tool: 'fails' }));
    await failure(() => local.call(request, { signal: AbortSignal.abort() }));
    expect(clock.sleepers()).toBe(0);
  });

  it('cancels', async () => {
    const local = localTools([sampleTool({ run: never })], manualClock());
    const controller = new AbortController();
    const ended = failureCode(() => local.call(request, { signal: controller.signal }));
    await settle();
    controller.abort();
    expect(await ended).toBe('cancelled');
  });

  it('keeps the slot of a tool that goes on after its call has ended', async () => {
    let finish: (() => void) | undefined;
    const run = () =>
      new Promise<{ text: string }>(
        (resolve) =>
          (finish = () => {
            resolve({ text: '' });
          }),
      );
    const clock = manualClock();
    const local = localTools([sampleTool({ run })], clock, { limits: { perPlace: 1, perPrincipal: 1 } });
    const first = failureCode(() => local.call(request, { timeoutMs: 5 }));
    await clock.advance(5);
    expect(await first).toBe('timeout');
    expect(await failureCode(() => local.call(request))).toBe('rate_limited');
    finish?.();
    await settle();
    const third = local.call(request);
    finish?.();
    expect(await third).toEqual({ text: '' });
  });

  it('forwards progress while the call runs and not after', async () => {
    const seen: ToolProgress[] = [];
    let late: (() => void) | undefined;
    const local = localTools(
      [
        sampleTool({
          run: ({ progress }) => {
            progress({ progress: 1, total: 2, message: 'half' });
            late = () => {
              progress({ progress: 2, total: 2, message: 'late' });
            };
            return Promise.resolve({ text: '' });
          },
        }),
      ],
      systemClock,
    );
    await local.call(request, { onProgress: (p) => seen.push(p) });
    late?.();
    expect(seen).toEqual([{ progress: 1, total: 2, message: 'half' }]);
  });

  it('refuses an answer that breaks the output schema', async () => {
    const run = () => Promise.resolve({ text: 5 } as unknown as { text: string });
    const local = localTools([sampleTool({ run })], systemClock);
    expect(await failureCode(() => local.call(request))).toBe('invalid_output');
  });

  it.each([
    ['a TabmeshError unchanged', new TabmeshError('not_found', 'no such', { hint: 'look' }), 'not_found', 'no such'],
    ['whatever else as tool_failed', new Error('boom'), 'tool_failed', 'boom'],
    ['a full disk', new DOMException('full', 'QuotaExceededError'), 'quota_exceeded', 'no storage space'],
  ])('passes on %s', async (_what, thrown, code, message) => {
    for (const run of [
      () => Promise.reject(thrown),
      () => {
        throw thrown;
      },
    ]) {
      const error = await failure(() => localTools([sampleTool({ run })], systemClock).call(request));
      expect(error.code).toBe(code);
      expect(error.message).toContain(message);
    }
  });

  it('does not tell its caller that nothing began because a call of the tool itself did not begin', async () => {
    const inner = new TabmeshError('peer_unreachable', 'gone', { details: { sent: false, peer: 'x' }, hint: 'wait' });
    const local = localTools([sampleTool({ run: () => Promise.reject(inner) })], systemClock);
    const error = await failure(() => local.call(request));
    expect(error).toMatchObject({ code: 'peer_unreachable', message: 'gone', hint: 'wait', details: { peer: 'x' } });
    expect(error.details).not.toHaveProperty('sent');
  });
});
