import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, it } from 'vitest';
import type { Principal, ToolProgress } from '../../../src/contracts/tools.ts';
import { catalog } from '../../../src/catalog/index.ts';
import { shardAnswerFromWire } from '../../../src/catalog/hits.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Ports } from '../../../src/contracts/ports.ts';
import {
  cidOf,
  memoryPorts,
  memberPrincipal,
  otherDevice,
  sampleRunResult,
  sampleShardAnswer,
  selfDevice,
  selfPeer,
} from '../../support/ports.ts';
import { addressOf, PEERS } from '../../support/peer-records.ts';
import { failure, failureCode, localTools } from '../../support/tools.ts';

function call(tool: string, args: unknown, ports: Ports = memoryPorts()): Promise<unknown> {
  return localTools(catalog, systemClock, { ports }).call({ tool, args, principal: selfPrincipal });
}

/** what the peer's own app calls with: it may call everything */
const selfPrincipal: Principal = { kind: 'device', device: selfDevice, peer: selfPeer };

const goodArguments: Record<string, unknown> = {
  collect_literature: { query: 'samples' },
  search_index: { query: 'samples' },
  search_shard: { query: 'samples', top_k: 1 },
  related_records: { record_id: 'pubmed:1' },
  list_datasets: {},
  get_dataset: { dataset: cidOf(25) },
  get_record: { cid: cidOf(2) },
  keep_dataset: { dataset: cidOf(25) },
  delete_dataset: { dataset: cidOf(25) },
  list_peers: {},
  list_members: {},
  connection_doctor: {},
  explain_route: { tool: 'echo', arguments: { text: 'x' } },
  tool_metrics: {},
  reset_routes: {},
  change_room_secret: {},
  block_device: { device: otherDevice },
  unblock_device: { device: otherDevice },
  appoint_owner: { device: otherDevice },
  peer_discover: { include_metrics: true },
  peer_connect: { peer_id: PEERS[0], multiaddr: addressOf(PEERS[0]) },
  peer_disconnect: { peer_id: PEERS[0] },
  peer_list: {},
  peer_metrics: { peer_id: PEERS[0], include_history: true },
  bootstrap_network: {},
  echo: { text: 'hello' },
};

describe.each(catalog.map((tool) => [tool.metadata.name, tool.metadata] as const))('%s', (name, metadata) => {
  it('tells a client enough to choose it', () => {
    expect(metadata.description.length).toBeGreaterThan(100);
    expect(metadata.annotations.title).not.toBe(name);
    const fields = Object.values(metadata.inputSchema['properties'] as Record<string, { description?: string }>);
    for (const field of fields) expect(field.description).toBeTruthy();
  });

  it('answers in snake_case what its schema says, also for the validator of older MCP clients', async () => {
    const answer = await call(name, goodArguments[name]);
    const check = new AjvJsonSchemaValidator().getValidator(metadata.outputSchema)(answer);
    expect(check).toMatchObject({ valid: true });
    expect(JSON.stringify(Object.keys(answer as object))).not.toMatch(/[A-Z]/);
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  });

  it('refuses an unknown argument', async () => {
    const error = await failure(() => call(name, { ...(goodArguments[name] as object), colour: 'red' }));
    expect(error.code).toBe('invalid_input');
    expect(error.message).toContain('colour: is not a known field');
  });
});

describe('collect_literature', () => {
  it('runs the workflow with the default of 100 records and gives its result', async () => {
    const asked: unknown[] = [];
    const ports = memoryPorts();
    const runs: Ports['runs'] = {
      ...ports.runs,
      run: (workflow, inputs) => {
        asked.push(workflow, inputs);
        return Promise.resolve({ ...sampleRunResult, dataset: null, manifest: null, records: 0 });
      },
    };
    const answer = await call('collect_literature', { query: ' rare disease ' }, { ...ports, runs });
    expect(asked).toEqual(['collect_literature', { query: 'rare disease', max_results: 100 }]);
    expect(answer).toMatchObject({ run_id: 'run-1', dataset: null, records: 0 });
  });

  it('reports the progress of the steps', async () => {
    const seen: ToolProgress[] = [];
    const local = localTools(catalog, systemClock);
    await local.call(
      { tool: 'collect_literature', args: { query: 'a' }, principal: memberPrincipal },
      { onProgress: (p) => seen.push(p) },
    );
    expect(seen).toEqual([
      { progress: 1, total: 2, message: 'Search PubMed: found 6' },
      { progress: 1.25, total: 2, message: 'Fetch records: 1 of 4' },
    ]);
  });

  it('names a result of the workflow that is not what it promised', async () => {
    const ports = memoryPorts();
    const runs: Ports['runs'] = { ...ports.runs, run: () => Promise.resolve({ records: 'many' }) };
    expect(await failureCode(() => call('collect_literature', { query: 'a' }, { ...ports, runs }))).toBe(
      'invalid_output',
    );
  });

  it.each([
    [{ query: '' }, 'query: expected at least 1 character, got an empty text'],
    [{ query: 'a', max_results: -1 }, 'max_results: expected at least 1, got -1'],
    [{ query: 'a', max_results: 10_001 }, 'max_results: expected at most 10000, got 10001'],
    [{ query: 'a'.repeat(2001) }, 'query: expected at most 2000 characters, got 2001'],
  ])('refuses %j', async (args, message) => {
    expect((await failure(() => call('collect_literature', args))).message).toBe(`collect_literature: ${message}`);
  });
});

describe('search', () => {
  it('carries failures and absent devices of a room search over the wire', async () => {
    expect(await call('search_index', { query: 'samples' })).toMatchObject({
      devices: [
        { status: 'answered', took_ms: 3 },
        { status: 'failed', error: { code: 'timeout', details: { timeoutMs: 5 } } },
        { status: 'away', datasets: [cidOf(3)] },
      ],
      missing: [{ held_by: ['Red Fox'] }],
      hits: [{ title_marks: [{ start: 0, end: 6 }], device_name: 'Amber Heron', also_on: ['device-2'] }],
    });
  });

  it('brings a shard answer to the asking device unchanged', async () => {
    const wire: unknown = JSON.parse(JSON.stringify(await call('search_shard', { query: 'samples' })));
    expect(shardAnswerFromWire(wire as Parameters<typeof shardAnswerFromWire>[0])).toEqual(sampleShardAnswer);
  });

  it('passes on that a record is not there', async () => {
    expect(await failureCode(() => call('related_records', { record_id: 'pubmed:404' }))).toBe('not_found');
    expect(await failureCode(() => call('related_records', { record_id: '404' }))).toBe('invalid_input');
  });
});

describe('data', () => {
  it('pages through a dataset to its end', async () => {
    const ids: string[] = [];
    let offset: number | null = 0;
    while (offset !== null) {
      const page = (await call('get_dataset', { dataset: cidOf(25), offset, limit: 2 })) as {
        records: { record: { id: string } }[];
        next_offset: number | null;
      };
      ids.push(...page.records.map(({ record }) => record.id));
      offset = page.next_offset;
    }
    expect(ids).toEqual([1, 2, 3, 4, 5].map((n) => `pubmed:${String(n)}`));
  });

  it('ends beyond the end', async () => {
    expect(await call('get_dataset', { dataset: cidOf(25), offset: 99 })).toMatchObject({
      records: [],
      next_offset: null,
    });
  });

  it('tells a dataset or record that is not there', async () => {
    expect(await failure(() => call('get_dataset', { dataset: cidOf(1) }))).toMatchObject({
      code: 'not_found',
      hint: 'list_datasets lists those it has.',
    });
    expect(await failureCode(() => call('get_record', { cid: cidOf(20) }))).toBe('not_found');
  });
});

describe('mesh', () => {
  it('echoes the text and names the peer', async () => {
    expect(await call('echo', { text: '' })).toEqual({ text: '', peer: selfPeer });
  });
});
