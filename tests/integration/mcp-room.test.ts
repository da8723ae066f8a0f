import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { Cleanups, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';
import { WIRES, type TestClient } from '../support/mcp-clients.ts';

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
    await vi.waitFor(() => {
      expect(live.gateway.mcp.peers()).toContain(member.peer);
    });
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
    await expect.poll(async () => (await client.resources()).map((resource) => resource.uri)).toContain(uri);
    expect(await client.read(uri)).toMatchObject({ status: 'failed', inputs: { query: 'no network' } });
    expect(await atMember.read(uri)).toMatchObject({ status: 'failed' });
  });

  it('tells of a dataset that a member keeps from now on', async () => {
    const told: string[] = [];
    await client.watch(`dataset://${dataset}`, (uri) => told.push(uri));
    await expect.poll(() => member.room.datasets.list().map(({ data }) => String(data))).toContain(dataset);
    await member.room.datasets.keep(dataset as never, new AbortController().signal);
    await expect.poll(() => told).toContain(`dataset://${dataset}`);
    expect(((await client.read(`dataset://${dataset}`))['holders'] as unknown[]).length).toBe(2);
  });

  it('writes prompts about what is here, and completes their arguments', async () => {
    expect(await client.prompts()).toEqual(['literature_survey', 'dataset_summary', 'compare_searches']);
    const survey = await client.prompt('literature_survey', { question: 'Does sleep help memory?' });
    expect(survey).toContain('Does sleep help memory?');
    expect(survey).toContain(dataset);
    for (const tool of ['search_index', 'collect_literature', 'related_records', 'get_record']) {
      expect(survey).toContain(`\`${tool}\``);
      expect((await client.tools()).map(({ name }) => name)).toContain(tool);
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
