import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/contracts/audit.ts';
import type { MeshPeer } from '../../src/contracts/mesh.ts';
import type { RunState } from '../../src/contracts/workflow.ts';
import { TabmeshError, type ErrorCode } from '../../src/lib/errors.ts';
import { api, codeOf, newToken } from '../support/api.ts';
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../support/relay-http.ts';
import { echoTool, memoryRoom, memoryTool } from '../support/room-tools.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function relayWith(options: TestRelayOptions = {}): Promise<TestRelay> {
  const relay = await startTestRelay(options);
  cleanups.push(() => relay.close());
  return relay;
}

describe('a call as server-sent events', () => {
  const events = async (relay: TestRelay, tool: string, body: unknown = {}) => {
    const answer = await api(relay, relay.tokens.owner, 'POST', `api/tools/${tool}`, body, {
      accept: 'text/event-stream',
    });
    const blocks = String(answer.body).trimEnd().split('\n\n');
    return {
      type: answer.headers.get('content-type'),
      status: answer.status,
      events: blocks.map((block) => {
        const [event = '', data = ''] = block.split('\n');
        return [event.replace('event: ', ''), JSON.parse(data.replace('data: ', '')) as unknown];
      }),
    };
  };

  it('tells its progress, then its result', async () => {
    const steps = memoryTool('steps', (_args, { onProgress }) => {
      for (const progress of [1, 2]) onProgress?.({ progress, total: 2, message: `step ${String(progress)}` });
      return { steps: 2 };
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [steps])] });
    expect(await events(relay, 'steps')).toEqual({
      type: 'text/event-stream; charset=utf-8',
      status: 200,
      events: [
        ['progress', { progress: 1, total: 2, message: 'step 1' }],
        ['progress', { progress: 2, total: 2, message: 'step 2' }],
        ['result', expect.objectContaining({ result: { steps: 2 }, tookMs: expect.any(Number) as number })],
      ],
    });
  });

  it('ends with the problem when it fails', async () => {
    const failing = memoryTool('failing', () => {
      throw new TabmeshError('upstream_throttled', 'later', { details: { retryAfterMs: 5 } });
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [failing])] });
    const { events: told } = await events(relay, 'failing');
    expect(told).toEqual([
      [
        'error',
        expect.objectContaining({ status: 503, error: expect.objectContaining({ code: 'upstream_throttled' }) }),
      ],
    ]);
  });

  it('is refused with a status of its own before it begins', async () => {
    const relay = await relayWith();
    const { token } = await newToken(relay, { name: 'x', tools: ['other'] });
    const refused = await api(relay, token, 'POST', 'api/tools/echo', {}, { accept: 'text/event-stream' });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('what a call shows besides its token', () => {
  it('is passed on as it is over MCP, and refused when it is nothing of that kind', async () => {
    const relay = await relayWith();
    const call = (headers: Record<string, string>) =>
      api(relay, relay.tokens.owner, 'POST', 'api/tools/echo', { text: '' }, headers);
    expect((await call({ 'tabmesh-approval': 'handle', 'tabmesh-grants': 'root leaf' })).status).toBe(200);
    await call({});
    expect(relay.rooms[0]?.calls.map(({ credentials }) => credentials)).toEqual([
      { approval: 'handle', grants: ['root', 'leaf'] },
      undefined,
    ]);
    expect(codeOf(await call({ 'tabmesh-grants': 'x '.repeat(100) }))).toBe('invalid_input');
    expect(relay.rooms[0]?.calls).toHaveLength(2);
  });
});

describe('problems (RFC 9457)', () => {
  it('name the fields that are wrong by JSON pointer', async () => {
    const strict = memoryTool('strict', () => {
      throw new TabmeshError('invalid_input', 'strict: two fields are wrong', {
        details: {
          issues: [
            { path: 'hits[2].title', message: 'expected text' },
            { path: '', message: 'expected an object' },
          ],
        },
      });
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [strict])] });
    const { body } = await api(relay, relay.tokens.owner, 'POST', 'api/tools/strict', {});
    expect(body).toMatchObject({
      type: 'urn:tabmesh:error:invalid_input',
      title: 'Invalid input',
      status: 400,
      errors: [
        { pointer: '#/hits/2/title', detail: 'expected text' },
        { pointer: '#', detail: 'expected an object' },
      ],
    });
  });
});

describe('the description of the API', () => {
  it('is OpenAPI 3.1, made of the schemas of the tools that the token may call', async () => {
    const deep = memoryTool('deep', () => ({}), {
      access: 'compute',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: { tree: { $ref: '#/$defs/node' } },
        $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
      },
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [echoTool, deep])] });
    const { body } = await api(relay, relay.tokens.owner, 'GET', 'openapi.json');
    const spec = body as {
      paths: Record<string, unknown>;
      components: { schemas: Record<string, Record<string, unknown>> };
    };
    const verdict = await new Validator().validate(structuredClone(spec));
    expect(verdict.errors).toBeUndefined();
    expect(verdict.valid).toBe(true);
    expect(Object.keys(spec.paths)).toEqual(
      expect.arrayContaining(['/api/tools/echo', '/api/tools/deep', '/api/tokens', '/api/audit', '/api/runs/{id}']),
    );
    const { schemas } = spec.components;
    expect(schemas['echo.input']).toEqual(echoTool.metadata.inputSchema);
    expect(schemas['deep.input']?.['properties']).toEqual({
      tree: { $ref: '#/components/schemas/deep.input/$defs/node' },
    });

    const { token } = await newToken(relay, { name: 'reader', classes: ['read'] });
    const narrow = (await api(relay, token, 'GET', 'openapi.json')).body as typeof spec;
    expect(Object.keys(narrow.paths)).not.toContain('/api/tools/deep');
    expect((await api(relay, null, 'GET', 'openapi.json')).status).toBe(401);
  });

  it('can be read at /docs, from our own files, under a policy of its own', async () => {
    const relay = await relayWith();
    const page = await api(relay, null, 'GET', 'docs');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]),
    );
    const files = [...String(page.body).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(([, file = '']) => file);
    expect(files).toContain('/docs/swagger-ui-bundle.js');
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//);
      expect((await api(relay, null, 'GET', file)).status).toBe(200);
    }
    expect(String(page.body)).not.toMatch(/<script>|onload=|style="/);
  });
});

describe('the room over REST', () => {
  it('tells peers and runs to tokens that may read all of it', async () => {
    const peer = { peer: '12D3KooWTab', name: 'Amber Heron' } as MeshPeer;
    const run = { runId: 'run-1', status: 'running' } as RunState;
    const room = { ...memoryRoom('a'), peers: () => [peer], runs: () => [run] };
    const relay = await relayWith({ memoryRooms: [room] });
    const ask = (path: string, token = relay.tokens.owner) => api(relay, token, 'GET', path);
    expect((await ask('api/peers')).body).toEqual({ peers: [peer] });
    expect((await ask('api/runs')).body).toEqual({ runs: [run] });
    expect((await ask('api/runs/run-1')).body).toEqual(run);
    expect(codeOf(await ask('api/runs/run-2'))).toBe('not_found');
    const { token } = await newToken(relay, { name: 'one', tools: ['echo'] });
    for (const path of ['api/peers', 'api/runs', 'api/runs/run-1']) expect((await ask(path, token)).status).toBe(403);
  });
});

describe('a run as server-sent events', () => {
  it('is told as it goes, until it has ended', async () => {
    const listeners = new Set<() => void>();
    let run = { runId: 'run-1', status: 'running', startedAt: 1 } as RunState;
    const subscribed = Promise.withResolvers<undefined>();
    const room = {
      ...memoryRoom('a'),
      runs: () => [run],
      watchRuns: (listener: () => void) => {
        listeners.add(listener);
        subscribed.resolve(undefined);
        return () => listeners.delete(listener);
      },
    };
    const relay = await relayWith({ memoryRooms: [room] });
    const told = api(relay, relay.tokens.owner, 'GET', 'api/runs/run-1', undefined, { accept: 'text/event-stream' });
    await subscribed.promise;
    for (const listener of listeners) listener();
    run = { ...run, status: 'completed', endedAt: 2, result: null } as RunState;
    for (const listener of listeners) listener();
    const { status, body } = await told;
    const events = [...String(body).matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, event, data = '']) => [
      event,
      (JSON.parse(data) as RunState).status,
    ]);
    expect([status, events]).toEqual([
      200,
      [
        ['progress', 'running'],
        ['progress', 'running'],
        ['result', 'completed'],
      ],
    ]);
    expect(listeners.size).toBe(0);
    const none = await api(relay, relay.tokens.owner, 'GET', 'api/runs/x', undefined, { accept: 'text/event-stream' });
    expect(none.status).toBe(404);
  });

  it('that nobody listens to any more is let go', async () => {
    const left = Promise.withResolvers<undefined>();
    const run = { runId: 'run-1', status: 'running', startedAt: 1 } as RunState;
    const room = {
      ...memoryRoom('a'),
      runs: () => [run],
      watchRuns: () => () => {
        left.resolve(undefined);
      },
    };
    const relay = await relayWith({ memoryRooms: [room] });
    const controller = new AbortController();
    const response = await fetch(new URL('api/runs/run-1', relay.urls.app), {
      headers: { authorization: `Bearer ${relay.tokens.owner}`, accept: 'text/event-stream' },
      signal: controller.signal,
    });
    expect(response.status).toBe(200);
    controller.abort();
    await left.promise;
  });
});

describe('what is written down', () => {
  it('is every call, with who, what, where and how it ended, and what was refused', async () => {
    const relay = await relayWith();
    const { id, token } = await newToken(relay, { name: 'CI', tools: ['echo'] });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await api(relay, token, 'POST', 'api/tools/echo', { text: 'private' }, { traceparent });
    await api(relay, token, 'POST', 'api/tools/other', {});
    await api(relay, 'tm_wrong', 'POST', 'api/tools/echo', {});
    await relay.tokens.revoke(id);
    const { body } = await api(relay, relay.tokens.owner, 'GET', 'api/audit?limit=10');
    const { entries } = body as { entries: AuditEntry[] };
    expect(entries.map(({ event, what, outcome }) => `${event} ${what} ${outcome}`).reverse()).toEqual([
      'call echo ok',
      'call other forbidden',
      'refused /api/tools/:name unauthorized',
    ]);
    expect(entries[2]).toMatchObject({
      who: { kind: 'token', id, name: 'CI' },
      where: { peer: '12D3KooWTab', name: 'Amber Heron · 7f3k2q' },
      trace: '0af7651916cd43dd8448eb211c80319c',
      argsHmac: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(JSON.stringify(entries)).not.toContain('private');
    const verification = await api(relay, relay.tokens.owner, 'GET', 'api/audit/verification');
    expect(verification.body).toMatchObject({ ok: true, entries: 3 });
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/audit?outcome=ok&limit=1')).body).toMatchObject({
      entries: [{ seq: 0 }],
      next: null,
    });
    expect((await api(relay, relay.tokens.owner, 'GET', 'api/audit?limit=0')).body).toMatchObject({
      errors: [{ pointer: '#/limit' }],
    });
  });

  it('is for who may administer the relay', async () => {
    const relay = await relayWith();
    const { token } = await newToken(relay, { name: 'writer', classes: ['read', 'compute', 'write'] });
    for (const path of ['api/audit', 'api/audit/verification']) {
      expect((await api(relay, token, 'GET', path)).status).toBe(403);
    }
  });
});

describe('traces (W3C Trace Context)', () => {
  it('go on to the place with a parent of our own, and begin here when there is none', async () => {
    const seen: (string | undefined)[] = [];
    const tool = memoryTool('traced', (_args, { traceparent }) => {
      seen.push(traceparent);
      return {};
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [tool])] });
    const id = '0af7651916cd43dd8448eb211c80319c';
    const call = (headers: Record<string, string>) =>
      api(relay, relay.tokens.owner, 'POST', 'api/tools/traced', {}, headers);
    const answer = await call({ traceparent: `00-${id}-b7ad6b7169203331-01` });
    expect(answer.headers.get('traceparent')).toBe(`00-${id}-b7ad6b7169203331-01`);
    expect(seen[0]).toMatch(new RegExp(`^00-${id}-[0-9a-f]{16}-01$`));
    expect(seen[0]).not.toContain('b7ad6b7169203331');
    for (const bad of ['', 'x', `ff-${id}-b7ad6b7169203331-01`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      await call(bad === '' ? {} : { traceparent: bad });
    }
    const others = seen.slice(1).map((text) => text?.split('-')[1]);
    expect(new Set(others).size).toBe(4);
    for (const other of others) expect(other).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(others).not.toContain(id);
  });
});

describe('metrics', () => {
  it('count calls, refusals and requests, for programs on this machine', async () => {
    const relay = await relayWith();
    await api(relay, relay.tokens.owner, 'POST', 'api/tools/echo', { text: '' });
    await api(relay, relay.tokens.owner, 'POST', 'api/tools/made_up_by_somebody', {});
    await api(relay, null, 'GET', 'api/tools');
    const narrow = await newToken(relay, { name: 'narrow', classes: ['write'] });
    await api(relay, narrow.token, 'POST', 'api/tools/echo', { text: '' });
    const { status, headers, body } = await api(relay, null, 'GET', 'metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const lines = String(body).split('\n');
    expect(lines).toContain('tabmesh_tool_call_seconds_count{tool="echo",place="peer",outcome="ok"} 1');
    expect(lines).toContain('tabmesh_tool_call_seconds_count{tool="other",place="none",outcome="unknown_tool"} 1');
    expect(lines).toContain('tabmesh_refused_total{reason="unauthorized"} 1');
    expect(lines).toContain('tabmesh_refused_total{reason="forbidden"} 1');
    expect(lines).toContain('tabmesh_http_requests_total{route="/api/tools",method="GET",status="401"} 1');
    expect(String(body)).not.toContain('made_up_by_somebody');
  });

  it('and headers carry nothing that a peer has made up', async () => {
    const lying = memoryTool('lying', () => {
      throw new TabmeshError('forbidden\r\nx-evil: 1' as ErrorCode, 'no', { details: { retryAfterMs: 1e300 } });
    });
    const asking = memoryTool('asking', () => {
      throw new TabmeshError('forbidden', 'no', { details: { requiredScope: 'tabmesh:read"\r\nx-evil: 1' } });
    });
    const relay = await relayWith({ memoryRooms: [memoryRoom('a', [lying, asking])] });
    const made = await api(relay, relay.tokens.owner, 'POST', 'api/tools/lying', {});
    expect([made.status, made.headers.get('tabmesh-error'), made.headers.get('retry-after')]).toEqual([
      500,
      'other',
      '86400',
    ]);
    const asked = await api(relay, relay.tokens.owner, 'POST', 'api/tools/asking', {});
    expect(asked.headers.get('www-authenticate')).toBe('Bearer realm="tabmesh", error="insufficient_scope"');
    const { body } = await api(relay, null, 'GET', 'metrics');
    expect(String(body)).toContain('tabmesh_tool_call_seconds_count{tool="lying",place="peer",outcome="other"} 1');
  });

  it('are closed to pages, and behind a proxy to whoever has no token', async () => {
    const relay = await relayWith();
    const evil = { origin: 'https://evil.example' };
    expect((await api(relay, null, 'GET', 'metrics', undefined, evil)).status).toBe(401);
    expect((await api(relay, null, 'GET', 'metrics', undefined, { 'x-forwarded-for': '203.0.113.7' })).status).toBe(
      401,
    );
    const behind = await relayWith({ args: ['--trust-proxy'] });
    expect((await api(behind, null, 'GET', 'metrics')).status).toBe(401);
    expect((await api(behind, behind.tokens.owner, 'GET', 'metrics')).status).toBe(200);
    const { token } = await newToken(behind, { name: 'one', tools: ['echo'] });
    expect((await api(behind, token, 'GET', 'metrics')).status).toBe(403);
  });
});
