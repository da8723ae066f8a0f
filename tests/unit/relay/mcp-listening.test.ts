import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../relay/http/auth.ts';
import type { Front } from '../../../relay/http/mcp/front.ts';
import { LISTEN_RETRY_MS, MAX_WATCHED, MAX_WATCHED_TOGETHER } from '../../../relay/http/mcp/limits.ts';
import { Listening } from '../../../relay/http/mcp/listening.ts';
import { roomResources } from '../../../relay/http/mcp/room-resources.ts';
import { Target } from '../../../relay/http/mcp/target.ts';
import { createTaskHost } from '../../../relay/http/mcp/tasks.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { McpSources } from '../../../src/peer/room/mcp-sources.ts';
import { listen } from '../../../src/peer/room/mcp-listen.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { memoryMcp } from '../../support/memory-mcp.ts';
import { memoryRoom } from '../../support/room-tools.ts';

const principal: Principal = { kind: 'token', tokenId: 'me', name: 'me', relay: 'r' as PeerId };
const never = new Promise<never>(() => undefined);

describe('listening', () => {
  it('goes on at a member that could not be reached, and tells what may have been missed', async () => {
    const clock = manualClock();
    const asked: string[] = [];
    const told: unknown[] = [];
    const mcp = {
      ...memoryMcp(),
      own: { ...memoryMcp().own, request: () => never },
      forward: (peer: PeerId) => {
        asked.push(peer);
        return asked.length === 1 ? Promise.reject(new Error('gone')) : never;
      },
    };
    const stop = new AbortController();
    const uri = 'run://tab/1';
    const ended = roomResources(mcp, clock, silentLog).listen(
      { resourceSubscriptions: [uri] },
      { principal, caller: null, signal: stop.signal, notify: (_method, params) => told.push(params) > 0 },
    );
    ended.catch(() => undefined);
    await settle();
    expect([asked, told]).toEqual([['tab'], []]);
    await clock.advance(LISTEN_RETRY_MS);
    expect([asked, told]).toEqual([['tab', 'tab'], [{ uri }]]);
    stop.abort();
  });

  it('refuses what is over what one listener can name', () => {
    const front = { request: () => never, toolsChanged: () => undefined } as unknown as Front;
    const nothing = () => undefined;
    const changes = { tools: nothing, prompts: nothing, resources: nothing, updated: nothing };
    const listening = new Listening({ front, principal, changes, clock: manualClock(), log: silentLog });
    const uris = Array.from({ length: MAX_WATCHED_TOGETHER }, (_, i) => `dataset://${String(i)}`);
    const unwatch = listening.watch(uris);
    listening.watch(uris.slice(0, 1))();
    expect(() => listening.watch(['dataset://more'])).toThrow(/too many resources/);
    unwatch();
    listening.watch(['dataset://more']);
    listening.stop();
  });

  it('refuses a client that names too many, and a peer does', async () => {
    const clock = manualClock();
    const front = { request: () => never, toolsChanged: () => undefined, close: () => undefined } as unknown as Front;
    const tasks = createTaskHost(clock);
    const target = new Target({ key: 'k', front, gateway: memoryRoom('r'), tasks, clock, log: silentLog });
    const listenTo = (count: number) => ({
      method: 'subscriptions/listen',
      params: { notifications: { resourceSubscriptions: Array.from({ length: count }, (_, i) => `dataset://${i}`) } },
    });
    const request = new Request('http://relay/mcp', { method: 'POST' });
    const handled = target.handle(request, listenTo(MAX_WATCHED + 1), {} as Caller);
    await expect(handled).rejects.toMatchObject({ code: 'invalid_input', details: { limit: MAX_WATCHED } });
    const { params } = listenTo(MAX_WATCHED_TOGETHER + 1);
    const context = { principal, signal: new AbortController().signal, notify: () => true };
    await expect(listen({} as McpSources, params, context)).rejects.toMatchObject({ code: 'invalid_input' });
    tasks.close();
    await target.close();
  });
});
