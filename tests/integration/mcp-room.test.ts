import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember, startToolPeer } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { ask, modernClient, WIRES, type TestClient } from '../support/mcp-clients.ts';
import { memoryTool } from '../support/room-tools.ts';
import { soon } from '../support/soon.ts';

/** Two members find each other in well under a second, unless the machine is busy. */
const JOIN_MS = 15_000;

describe.each(Object.entries(WIRES))('a real room over %s', (_name, connect) => {
  const cleanups = new Cleanups();
  let live: LiveRelay;
  let member: HeadlessRoom;
  let client: TestClient;
  let atMember: TestClient;
  let dataset: string;

  const open = async (path = ''): Promise<TestClient> => {
    const opened = await connect(live.relay.urls.mcp + path, { token: live.relay.token });
    cleanups.add(() => opened.close());
    return opened;
  };

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    member = await startMember(live, cleanups);
    await vi.waitFor(
      () => {
        expect(live.gateway.mcp.peers()).toContain(member.peer);
      },
      { timeout: JOIN_MS },
    );
    client = await open();
    const collected = await client.call('collect_literature', {
      query: 'sleep',
      max_results: 20,
      place: live.gateway.self,
    });
    expect(collected['isError']).not.toBe(true);
    ({ dataset } = collected['structuredContent'] as { dataset: string });
    atMember = await open(`/peers/${member.peer}`);
  });
  afterAll(() => cleanups.run());

  it('shows datasets, indexes, peers and runs as resources', async () => {
    const resources = await client.resources();
    const uris = resources.map(({ uri }) => uri);
    const run = uris.find((uri) => uri.startsWith(`run://${live.gateway.self}/`)) ?? '';
    expect(uris).toEqual(
      expect.arrayContaining([
        `dataset://${dataset}`,
        `index://${dataset}`,
        'index://room',
        `peer://${live.gateway.self}`,
        `peer://${member.peer}`,
      ]),
    );
    expect(await client.read(`dataset://${dataset}`)).toMatchObject({
      data: dataset,
      query: 'sleep',
      manifest: { provenance: { tool: 'collect_literature' } },
    });
    const records = await client.read(`dataset://${dataset}/records/0`);
    expect(records).toMatchObject({ dataset, offset: 0 });
    expect((records['records'] as unknown[]).length).toBeGreaterThan(0);
    expect(await client.read(`index://${dataset}`)).toMatchObject({
      dataset,
      devices: [{ device: live.gateway.mcp.self().device, online: true }],
    });
    expect(await client.read(`peer://${member.peer}`)).toMatchObject({ peer: member.peer, link: 'direct' });
    expect(await client.read(run)).toMatchObject({ workflow: 'collect_literature', status: 'completed' });
    expect(await client.templates()).toContain('dataset://{dataset}/records/{offset}');
    await expect(client.read('dataset://nothing')).rejects.toMatchObject({ code: expect.any(Number) as number });
  });

  it('knows a run where it ran, and reads it from there', async () => {
    const { id, ended } = member.room.runs.start('collect_literature', { query: 'no network', max_results: 1 });
    await ended;
    const uri = `run://${member.peer}/${id}`;
    await soon(async () => (await client.resources()).map((resource) => resource.uri)).toContain(uri);
    expect(await client.read(uri)).toMatchObject({ status: 'failed', inputs: { query: 'no network' } });
    expect(await atMember.read(uri)).toMatchObject({ status: 'failed' });
  });

  it('tells of a dataset that a member keeps from now on', async () => {
    const told: string[] = [];
    const toldThere: string[] = [];
    await client.watch(`dataset://${dataset}`, (uri) => told.push(uri));
    // this one comes over the mesh
    await atMember.watch(`dataset://${dataset}`, (uri) => toldThere.push(uri));
    await soon(() => member.room.datasets.list().map(({ data }) => String(data))).toContain(dataset);
    await member.room.datasets.keep(dataset as never, new AbortController().signal);
    await soon(() => told).toContain(`dataset://${dataset}`);
    await soon(() => toldThere).toContain(`dataset://${dataset}`);
    expect(((await client.read(`dataset://${dataset}`))['holders'] as unknown[]).length).toBe(2);
  });

  it('writes prompts about what is here, and completes their arguments', async () => {
    expect(await client.prompts()).toEqual(['literature_survey', 'dataset_summary', 'compare_searches']);
    const survey = await client.prompt('literature_survey', { question: 'Does sleep help memory?' });
    expect(survey).toContain('Does sleep help memory?');
    expect(survey).toContain(dataset);
    // once: the older SDK compiles every schema of the list each time
    const tools = (await client.tools()).map(({ name }) => name);
    for (const tool of ['search_index', 'collect_literature', 'related_records', 'get_record']) {
      expect(survey).toContain(`\`${tool}\``);
      expect(tools).toContain(tool);
    }
    expect(await client.prompt('dataset_summary', { dataset: 'sleep' })).toContain(`dataset://${dataset}`);
    await expect(client.prompt('dataset_summary', { dataset: 'no such' })).rejects.toMatchObject({ code: -32602 });
    await expect(client.prompt('literature_survey', {})).rejects.toMatchObject({ code: -32602 });

    expect(await client.complete({ prompt: 'dataset_summary' }, { name: 'dataset', value: 'sl' })).toContain('sleep');
    const peers = await client.complete({ template: 'peer://{peer}' }, { name: 'peer', value: '12D3' });
    expect(peers).toEqual(expect.arrayContaining([live.gateway.self, member.peer]));
    const cids = await client.complete({ template: 'dataset://{dataset}' }, { name: 'dataset', value: '' });
    expect(cids).toEqual([dataset]);
  });

  it('reaches a member by itself, with its own names', async () => {
    const tools = (await atMember.tools()).map(({ name }) => name);
    expect(tools).toEqual(expect.arrayContaining(['echo', 'search_index', 'list_peers']));
    const answer = await atMember.call('list_peers', {});
    const { peers } = answer['structuredContent'] as { peers: { peer: string; link: string }[] };
    expect(peers.find(({ link }) => link === 'self')?.peer).toBe(member.peer);
    expect(await atMember.call('search_index', { top_k: 1 })).toMatchObject({
      isError: true,
      _meta: { 'tabmesh/error': { code: 'invalid_input' } },
    });
    expect((await atMember.resources()).map(({ uri }) => uri)).toContain(`dataset://${dataset}`);
  });
});

describe('a room that changes', () => {
  const cleanups = new Cleanups();
  const ofTheTest = new Cleanups();
  let live: LiveRelay;
  let client: TestClient;

  beforeAll(async () => {
    live = await startLiveRelay();
    cleanups.add(() => live.close());
    client = await modernClient(live.relay.urls.mcp, { token: live.relay.token });
    cleanups.add(() => client.close());
  });
  afterAll(async () => {
    await ofTheTest.run();
    await cleanups.run();
  });
  const find = async (name: string) => (await client.tools()).find((tool) => tool.name === name);

  it('shows a tool while a peer that offers it is here, and says whose it is', async () => {
    expect(await find('weigh')).toBeUndefined();
    const { metadata } = memoryTool('weigh', () => ({}), { description: 'Weighs.\u200b' });
    const peer = await startToolPeer(live, ofTheTest, {
      list: () => [metadata],
      call: ({ args }) => Promise.resolve({ grams: (args as { things: string[] }).things.length }),
    });
    await soon(() => find('weigh')).toMatchObject({
      description: '[Described by the peer “tool peer”, not by this relay] Weighs.',
    });
    // its definition is remembered, so that another one will be noticed after a restart too
    await soon(() => readFile(join(live.folder, 'tool-pins.json'), 'utf8')).toMatch(/"weigh":"[0-9a-f]{64}"/);
    const result = await client.call('weigh', { things: ['a', 'b'] });
    expect(result).toMatchObject({ structuredContent: { grams: 2 }, _meta: { 'tabmesh/route': { peer } } });
    await ofTheTest.run();
    await soon(() => find('weigh')).toBeUndefined();
  });

  it.each(Object.entries(WIRES))(
    'cancels at the peer, across the mesh, what is given up over %s',
    async (_name, connect) => {
      const started = Promise.withResolvers<AbortSignal>();
      const { metadata } = memoryTool('wait', () => ({}));
      const peer = await startToolPeer(live, ofTheTest, {
        list: () => [metadata],
        call: (_request, { signal }) => {
          if (signal === undefined) throw new Error('no signal');
          started.resolve(signal);
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('stopped'));
            });
          });
        },
      });
      await soon(() => live.gateway.mcp.peers()).toContain(peer);
      const direct = await connect(`${live.relay.urls.mcp}/peers/${peer}`, { token: live.relay.token });
      ofTheTest.add(() => direct.close());
      const giveUp = new AbortController();
      const rejected = expect(direct.call('wait', {}, { signal: giveUp.signal })).rejects.toThrow();
      const signal = await started.promise;
      const aborted = new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      giveUp.abort();
      await Promise.all([aborted, rejected]);
      await ofTheTest.run();
    },
  );

  it('collects on as a task when its client has gone, and says where the run is', async () => {
    const { mcp } = live.relay.urls;
    const begun = await ask(
      mcp,
      live.relay.token,
      'tools/call',
      { name: 'collect_literature', arguments: { query: 'sleep', max_results: 50 } },
      { tasks: true },
    );
    expect(begun.result).toMatchObject({ resultType: 'task', status: 'working' });
    const taskId = begun.result?.['taskId'];
    const details = async () => (await ask(mcp, live.relay.token, 'tasks/get', { taskId }, { tasks: true })).result;
    await soon(details).toMatchObject({ status: 'completed' });
    const { result } = (await details()) as { result: { structuredContent: { run_id: string; dataset: string } } };
    const { run_id, dataset } = result.structuredContent;
    expect(await client.read(`run://${live.gateway.self}/${run_id}`)).toMatchObject({ status: 'completed' });
    expect(await client.read(`dataset://${dataset}`)).toMatchObject({ data: dataset });
  });
});
