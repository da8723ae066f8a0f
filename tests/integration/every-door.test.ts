import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OlderStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRestClient } from '../../relay/cli/rest-client.ts';
import { isWireError, TabmeshError } from '../../src/lib/errors.ts';
import { META } from '../../src/mesh/rpc/mcp-wire.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { modernClient, olderClient, type TestClient } from '../support/mcp-clients.ts';
import { sampleCalls, type SampleCall } from '../support/sample-calls.ts';

/** Two peers in one process; a busy machine takes its time. */
const MEET_MS = 20_000;
/** Forty calls through the slowest door: each a process of its own on a busy machine. */
const TIMEOUT_MS = 180_000;
const BIN = fileURLToPath(new URL('../../bin/tabmesh.mjs', import.meta.url));
const INSPECTOR = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);

type Ended = { readonly value: unknown } | { readonly code: string };

/** A way to the tools of the relay's peer. */
interface Door {
  readonly names: () => Promise<readonly string[]>;
  readonly call: (tool: string, args: object) => Promise<Ended>;
}

const cleanups = new Cleanups();
let live: LiveRelay;
let member: HeadlessRoom;
let samples: Record<string, SampleCall>;
/** what a member's own app sees and gets: all others are held against it */
let listed: readonly string[];

beforeAll(async () => {
  live = await startLiveRelay();
  cleanups.add(() => live.close());
  member = await startMember(live, cleanups);
  const { tools, self } = live.gateway;
  await vi.waitFor(() => {
    expect(live.gateway.mcp.peers()).toContain(member.peer);
    expect(member.room.tools.list().some(({ places }) => places.some(({ peer }) => peer === self))).toBe(true);
  }, MEET_MS);
  const own = async (tool: string, args: object) => {
    const outcome = await tools.call({ tool, args, principal: live.owner, place: self });
    if (!outcome.ok) throw TabmeshError.fromWire(outcome.error);
    return outcome.value as Record<string, unknown>;
  };
  const { dataset } = await own('collect_literature', { query: 'sleep', max_results: 5 });
  const { hits } = (await own('search_index', { query: 'sleep' })) as {
    hits: { record_cid: string; record_id: string }[];
  };
  samples = sampleCalls({
    dataset: String(dataset),
    record: String(hits[0]?.record_cid),
    recordId: String(hits[0]?.record_id),
    peer: member.peer,
    address: live.address,
  });
  listed = tools.list().map(({ metadata }) => metadata.name);
}, TIMEOUT_MS);
afterAll(() => cleanups.run());

it('has a sample of every tool', () => {
  expect(Object.keys(samples).sort()).toEqual([...listed]);
});

const endpoint = (client: TestClient, place: object): Door => ({
  names: async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.toolsPage(cursor);
      names.push(...page.names);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return names;
  },
  call: (tool, args) => ended(() => client.call(tool, { ...args, ...place })),
});

const stdioCommand = () => ({
  command: process.execPath,
  args: [BIN, 'mcp', '--relay', live.relay.urls.app],
  env: { PATH: process.env['PATH'] ?? '', TABMESH_TOKEN: live.relay.token },
});

/** An SDK's client over stdio, in the shape of the others. */
const overStdio = (client: OlderClient): Door =>
  endpoint(
    {
      toolsPage: async (cursor?: string) => {
        const { tools, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor });
        return { names: tools.map(({ name }) => name), nextCursor };
      },
      call: async (name: string, args: Record<string, unknown>) => await client.callTool({ name, arguments: args }),
    } as unknown as TestClient,
    { place: live.gateway.self },
  );

const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  'the SDK 1.x client': async () => {
    const client = await olderClient(live.relay.urls.mcp, { token: live.relay.token });
    cleanups.add(() => client.close());
    return endpoint(client, { place: live.gateway.self });
  },
  'the SDK 2.x client': async () => {
    const client = await modernClient(live.relay.urls.mcp, { token: live.relay.token });
    cleanups.add(() => client.close());
    return endpoint(client, { place: live.gateway.self });
  },
  'the SDK 1.x client, at the peer itself': async () => {
    const client = await olderClient(`${live.relay.urls.mcp}/peers/${live.gateway.self}`, { token: live.relay.token });
    cleanups.add(() => client.close());
    return endpoint(client, {});
  },
  'the SDK 1.x client over stdio': async () => {
    const client = new OlderClient({ name: 'test', version: '1' });
    await client.connect(new OlderStdio(stdioCommand()));
    cleanups.add(() => client.close());
    return overStdio(client);
  },
  'the SDK 2.x client over stdio': async () => {
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new ModernStdio(stdioCommand()));
    cleanups.add(() => client.close());
    return overStdio(client as unknown as OlderClient);
  },
  REST: () => {
    const { token, urls } = live.relay;
    const client = createRestClient({ api: new URL('api/', urls.app), token });
    const { signal } = new AbortController();
    return Promise.resolve({
      names: async () => (await client.tools(signal)).map(({ name }) => name),
      call: async (tool, args) => {
        try {
          return { value: (await client.call(tool, args, { place: live.gateway.self, signal })).result };
        } catch (error) {
          return { code: (error as TabmeshError).code };
        }
      },
    });
  },
};

describe.each(Object.entries(DOORS))('%s', (_name, open) => {
  it(
    'lists every tool, and calls each as the others do',
    async () => {
      const door = await open();
      expect(await door.names()).toEqual(listed);
      for (const [tool, { args, ends }] of Object.entries(samples)) {
        const here = await ownCall(tool, args);
        const there = await door.call(tool, args);
        expect('code' in there ? there.code : 'ok', tool).toBe(ends);
        expect(shape(there, tool), tool).toEqual(shape(here, tool));
      }
    },
    TIMEOUT_MS,
  );
});

it('another peer of the room is answered by its own tools and by the relay’s as everybody is', async () => {
  const { device } = member.room.replica;
  const principal = { kind: 'device', device, peer: member.peer } as const;
  for (const [tool, { args, ends }] of Object.entries(samples)) {
    const metadata = live.gateway.tools.list().find((each) => each.metadata.name === tool)?.metadata;
    if (metadata?.access !== 'read') continue;
    const outcome = await member.room.tools.call({ tool, args, principal, place: live.gateway.self });
    expect(outcome.ok ? 'ok' : outcome.error.code, tool).toBe(ends);
    expect(shape(outcome.ok ? { value: outcome.value } : { code: outcome.error.code }, tool), tool).toEqual(
      shape(await ownCall(tool, args), tool),
    );
  }
});

it(
  'the MCP Inspector’s command line lists the tools and calls one',
  async () => {
    const inspect = async (...args: string[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        INSPECTOR,
        '--cli',
        live.relay.urls.mcp,
        '--transport',
        'http',
        '--header',
        `Authorization: Bearer ${live.relay.token}`,
        ...args,
      ]);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    // strict: it also looks whether the schemas are such as every client and model understands
    const { tools } = (await inspect('--method', 'tools/list', '--strict')) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(listed);
    for (const tool of ['echo', 'search_index', 'get_dataset']) {
      const { args = {}, ends } = samples[tool] ?? {};
      const pairs = Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${String(value)}`]);
      const answer = await ended(() => inspect('--method', 'tools/call', '--tool-name', tool, ...pairs));
      expect('code' in answer ? answer.code : 'ok', tool).toBe(ends);
    }
  },
  TIMEOUT_MS,
);

async function ownCall(tool: string, args: object): Promise<Ended> {
  const { tools, self } = live.gateway;
  const outcome = await tools.call({ tool, args, principal: live.owner, place: self });
  return outcome.ok ? { value: outcome.value } : { code: outcome.error.code };
}

async function ended(call: () => Promise<Record<string, unknown>>): Promise<Ended> {
  let result: Record<string, unknown>;
  try {
    result = await call();
  } catch (error) {
    const { data } = error as { readonly data?: unknown };
    if (isWireError(data)) return { code: data.code };
    throw error;
  }
  const error = (result['_meta'] as Record<string, unknown> | undefined)?.[META.error];
  return isWireError(error) ? { code: error.code } : { value: result['structuredContent'] };
}

/** They tell of every tool by name, and of each from its first call on. */
const GROWS = new Set(['tool_metrics']);

/** What two answers a moment apart have in common: every field, and the kind of its value. */
function shape(ended: Ended, tool: string): unknown {
  if ('code' in ended) return ended;
  return GROWS.has(tool) ? Object.keys(ended.value as object) : kinds(ended.value);
}

function kinds(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? 'list' : ['list'];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, kinds(inner)]));
}
