import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { echo } from '../../src/catalog/mesh/echo.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { createGuard } from '../../src/tools/guard.ts';
import { MAX_ARGUMENT_BYTES } from '../../src/tools/limits.ts';
import { createLocalTools } from '../../src/tools/local-tools.ts';
import { createToolRegistry } from '../../src/tools/registry.ts';
import * as z from '../../src/tools/zod.ts';
import { openDoors, type Doors, type Refusal } from '../support/doors.ts';
import { Cleanups, startMember, startToolPeer } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

const cleanups = new Cleanups();
let live: LiveRelay;
let doors: Doors;
let member: HeadlessRoom;

/** A tool that does not do what it says. */
const dishonest = defineTool({
  name: 'dishonest',
  category: 'test',
  title: 'Dishonest',
  description: 'Says that it answers with a number.',
  access: 'read',
  runtime: 'mesh',
  idempotent: true,
  timeoutMs: 5_000,
  input: z.strictObject({}),
  output: z.strictObject({ answer: z.int() }),
  run: () => Promise.resolve({ answer: 'forty-two' as never }),
});

beforeAll(async () => {
  live = await startLiveRelay();
  cleanups.add(() => live.close());
  member = await startMember(live, cleanups);
  const registry = createToolRegistry([dishonest]);
  const ports = {} as never;
  const guard = createGuard({ registry, self: {} as never });
  const honestGuard = createLocalTools({ registry, guard, ports, clock: systemClock });
  await startToolPeer(live, cleanups, honestGuard);
  doors = await openDoors(live, member);
  cleanups.add(() => doors.close());
  await vi.waitFor(
    () => {
      const offered = live.gateway.tools.list().map(({ metadata }) => metadata.name);
      expect(offered).toContain('dishonest');
    },
    { timeout: 10_000 },
  );
}, 60_000);
afterAll(() => cleanups.run());

/** What every door says; fails unless all say the same. */
async function everywhere(tool: string, args: unknown, except: readonly (keyof Doors)[] = []): Promise<Refusal> {
  const { close: _, ...all } = doors;
  const entries = Object.entries(all).filter(([name]) => !except.includes(name as keyof Doors));
  const said = await Promise.all(entries.map(async ([name, call]) => [name, await call(tool, args)] as const));
  const first = said[0]?.[1];
  if (first === undefined) throw new Error('no door');
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(said.map(([name]) => [name, first])));
  return first;
}

describe('the same words at every door, and nothing runs:', () => {
  it.each([
    [
      'an empty query',
      'search_index',
      { query: '' },
      'search_index: query: expected at least 1 character, got an empty text',
      'Correct the arguments: query, top_k (optional).',
    ],
    [
      'an empty query of the main job',
      'collect_literature',
      { query: '  ', max_results: 10 },
      'collect_literature: query: ',
      'Correct the arguments: query, max_results (optional).',
    ],
    [
      'max_results -1',
      'collect_literature',
      { query: 'sleep', max_results: -1 },
      'collect_literature: max_results: expected at least 1, got -1',
      'Correct the arguments: query, max_results (optional).',
    ],
    [
      'an argument that nobody knows',
      'search_index',
      { query: 'sleep', limit: 3 },
      'search_index: limit: is not a known field; the fields are query, top_k',
      'Correct the arguments: query, top_k (optional).',
    ],
  ])('%s', async (_what, tool, args, message, hint) => {
    const before = await live.served();
    const said = await everywhere(tool, args);
    expect(said).toMatchObject({ code: 'invalid_input', hint, retryable: false });
    expect(said.message).toContain(message);
    expect(await live.served()).toEqual(before);
  });

  it('arguments over 1 MiB', async () => {
    const before = await live.served();
    const said = await everywhere('echo', { text: 'x'.repeat(MAX_ARGUMENT_BYTES) });
    expect(said).toMatchObject({
      code: 'payload_too_large',
      message: `the arguments of echo are ${MAX_ARGUMENT_BYTES + '{"text":""}'.length} bytes as JSON; at most 1048576 are accepted`,
      hint: 'Store large data as a dataset and pass its CID.',
    });
    expect(await live.served()).toEqual(before);
  });

  it('an unknown tool', async () => {
    const said = await everywhere('serch_index', { query: 'sleep' });
    expect(said).toMatchObject({
      code: 'unknown_tool',
      message: 'there is no tool named "serch_index" in this room',
      hint: expect.stringContaining('search_index') as string,
    });
  });

  it('an answer that breaks its output schema', async () => {
    // the member without addresses of his own is not linked with the tool peer, so he asks nobody
    const said = await everywhere('dishonest', {}, ['app']);
    expect(said).toMatchObject({
      code: 'invalid_output',
      message: 'dishonest gave an answer that breaks its own description: answer: expected a number, got "forty-two"',
      hint: 'This is a fault of the tool or of the peer that ran it, not of the arguments.',
    });
  });
});

describe('a peer that lies about a tool that everybody knows', () => {
  it('is found out by whoever asked it', async () => {
    const liar = await startToolPeer(live, cleanups, {
      list: () => [echo.metadata],
      call: () => Promise.resolve({ text: 7, peer: 'me' }),
    });
    const offered = () =>
      live.gateway.tools
        .list()
        .find(({ metadata }) => metadata.name === 'echo')
        ?.places.map(({ peer }) => peer) ?? [];
    await expect.poll(offered, { timeout: 10_000 }).toContain(liar);
    const answer = await live.gateway.tools.call({
      tool: 'echo',
      args: { text: 'hello' },
      principal: live.owner,
      place: liar,
    });
    expect(answer).toMatchObject({
      ok: false,
      error: {
        code: 'invalid_output',
        message: expect.stringContaining('text: expected text, got 7') as string,
        details: { issues: [{ path: 'text', message: 'expected text, got 7' }] },
      },
      route: { chosen: { peer: liar } },
    });
  });
});
