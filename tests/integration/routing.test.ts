import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

interface Metrics {
  readonly by_tool: Record<string, { readonly request_count: number; readonly error_count: number }>;
  readonly by_place: Record<string, { readonly request_count: number }>;
  readonly stats: { readonly by_runtime: Record<string, { readonly requests: number }> };
}

describe('routes at the front door of a relay', () => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let member: HeadlessRoom;
  let token: string;

  /** a call over REST, as any program makes it */
  const call = async (tool: string, args: object, place = ''): Promise<Record<string, unknown>> => {
    const response = await fetch(new URL(`api/tools/${tool}${place}`, live.relay.urls.app), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return (answer['result'] ?? answer) as Record<string, unknown>;
  };

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    token = (await readFile(join(live.folder, 'owner-token'), 'utf8')).trim();
    member = await startMember(live, cleanups);
    const { tools } = live.gateway;
    const offered = () => tools.list().find(({ metadata }) => metadata.name === 'echo')?.places.length ?? 0;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (offered() < 2) return;
        unsubscribe();
        resolve();
      };
      const unsubscribe = tools.subscribe(look);
      look();
    });
  });
  afterAll(() => cleanups.run());

  it('are explained by the relay itself, every place with its reasons, and nothing runs', async () => {
    const before = await live.served();
    const plan = (await call('explain_route', { tool: 'echo', arguments: { text: 'x' } })) as {
      runtime: string;
      chosen: { peer: string };
      candidates: {
        place: { peer: string; kind: string };
        score: number;
        reasons: string[];
        excluded: string | null;
      }[];
    };
    expect(plan.runtime).toBe('mesh');
    expect(plan.candidates.map(({ place }) => place.peer).sort()).toEqual([live.gateway.self, member.peer].sort());
    expect(plan.candidates[0]?.place.peer).toBe(plan.chosen.peer);
    expect(plan.candidates.every(({ reasons, excluded }) => reasons.length > 0 && excluded === null)).toBe(true);
    expect(plan.candidates.find(({ place }) => place.peer === live.gateway.self)?.place.kind).toBe('self');
    expect((await live.served())['echo']).toBe(before['echo']);
  });

  it('are explained for a place that is asked for', async () => {
    const plan = (await call('explain_route', { tool: 'echo', place: member.peer })) as {
      chosen: { peer: string };
      why: string;
    };
    expect(plan).toMatchObject({ chosen: { peer: member.peer }, why: 'the call asks for it' });
  });

  it('are counted where the calls ran, at the caller and at the place', async () => {
    for (let i = 0; i < 3; i++) await call('echo', { text: 'x' }, `?place=${member.peer}`);
    const here = (await call('tool_metrics', {})) as { made: Metrics; registry: { total: number }; health: object[] };
    expect(here.made.by_place[member.peer]?.request_count).toBeGreaterThanOrEqual(3);
    expect(here.made.by_tool['echo']).toMatchObject({ error_count: 0 });
    expect(here.registry.total).toBe(live.gateway.tools.list().length);
    expect(here.health).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ component: 'mesh', status: 'healthy' }),
        expect.objectContaining({ component: 'storage', status: 'healthy' }),
      ]),
    );
    const there = (await call('tool_metrics', {}, `?place=${member.peer}`)) as {
      served: Metrics;
      messages: Record<string, number>;
    };
    expect(there.served.by_tool['echo']?.request_count).toBe(3);
    expect(there.messages['tools/call']).toBeGreaterThanOrEqual(3);
  });

  it('can be tried again at once by who runs the relay', async () => {
    expect(await call('reset_routes', {})).toEqual({ reset: 0 });
  });
});
