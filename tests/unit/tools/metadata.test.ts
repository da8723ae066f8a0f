import { describe, expect, it } from 'vitest';
import type { ToolMetadata } from '../../../src/contracts/tools.ts';
import { METADATA_DEFAULTS, RETRY_POLICIES } from '../../../src/contracts/tools.ts';
import { fromMcpToolList, META, toMcpTool } from '../../../src/mesh/rpc/mcp-wire.ts';
import { readToolMetadata } from '../../../src/mesh/rpc/tool-metadata.ts';
import { metadataWarnings } from '../../../src/tools/metadata.ts';
import { createToolRegistry } from '../../../src/tools/registry.ts';
import { loggedEvents } from '../../support/logged.ts';
import { failure, failureCode, localTools, sampleTool } from '../../support/tools.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { memberPrincipal } from '../../support/ports.ts';

const { metadata } = sampleTool();
const read = (meta: Record<string, unknown>, legacy: Record<string, unknown> = {}) =>
  readToolMetadata('sample', meta, legacy);
const named = (name: string, more: Parameters<typeof sampleTool>[0] = {}) => sampleTool({ name, ...more });

describe('a record', () => {
  it('TM1: of a tool that says nothing of itself is auto, not p2p, general, priority 5, 30 s', () => {
    expect(read({})).toMatchObject({
      runtime: 'auto',
      requiresP2p: false,
      category: 'general',
      priority: 5,
      timeoutMs: 30_000,
      retry: 'none',
      schemaVersion: '1.0',
      cacheTtlMs: null,
      deprecation: null,
    });
  });

  it('TM2: keeps all fields as given', () => {
    const given = {
      requiresP2p: true,
      retry: 'linear',
      priority: 9,
      memoryIntensive: true,
      cpuIntensive: true,
      ioIntensive: true,
      cacheTtlMs: 5000,
      deprecation: 'use another',
      sticky: 'group',
      schemaVersion: '2.1',
      local: true,
    } as const;
    expect(sampleTool(given).metadata).toMatchObject(given);
  });

  it('TM3: with an unknown runtime is rejected, here and of a peer', async () => {
    expect(await failureCode(() => sampleTool({ runtime: 'cloud' as ToolMetadata['runtime'] }))).toBe('invalid_input');
    expect((await failure(() => read({ runtime: 'cloud' }))).message).toContain('none of mesh, relay, auto');
  });

  it.each([-1, 11, 5.5])('TM4: with priority %d is rejected', async (priority) => {
    expect((await failure(() => sampleTool({ priority }))).message).toContain('priority');
  });

  it('TM5: with an unknown retry policy is rejected', async () => {
    const error = await failure(() => sampleTool({ retry: 'custom' as ToolMetadata['retry'] }));
    expect(error.message).toContain('none of none, fixed, linear, exponential');
  });

  it('TM6: as a plain object has every public field, and no function', () => {
    const plain = JSON.parse(JSON.stringify(metadata)) as Record<string, unknown>;
    expect(Object.keys(plain).sort()).toEqual(Object.keys(metadata).sort());
    expect(plain).not.toHaveProperty('run');
    expect(Object.keys(plain)).toEqual(expect.arrayContaining(Object.keys(METADATA_DEFAULTS)));
  });

  it('TM7: without a description gets a warning that says so', () => {
    expect(metadataWarnings({ ...metadata, description: '' })).toEqual(['it has no description']);
  });

  it('TM8: without a schema gets a warning that says so', () => {
    expect(metadataWarnings({ ...metadata, inputSchema: {} })).toEqual(['it has no input schema']);
  });

  it('TM9: that needs peers but is pinned to the relay gets a warning that names both', () => {
    const [warning] = metadataWarnings({ ...metadata, requiresP2p: true, runtime: 'relay' });
    expect(warning).toMatch(/p2p.*relay/);
  });

  it('TM10: that is complete gets none', () => {
    expect(metadataWarnings(metadata)).toEqual([]);
  });

  it('TM30: cannot be changed after it was made', () => {
    const { metadata: frozen } = sampleTool();
    expect(() => {
      (frozen as { priority: number }).priority = 9;
    }).toThrow(TypeError);
    expect(frozen.priority).toBe(5);
  });

  it('TM31: of the original with priority 100 is read with priority 10', () => {
    expect(read({ priority: 100 }).priority).toBe(10);
  });

  it('TM32: of the original with policies none, fixed, linear, exponential is read; custom is a typed error', async () => {
    expect(RETRY_POLICIES.map((policy) => read({ retry_policy: policy }).retry)).toEqual(RETRY_POLICIES);
    expect(await failureCode(() => read({ retry_policy: 'custom' }))).toBe('invalid_input');
  });

  it('TM33: without a name is an error', async () => {
    expect(await failureCode(() => sampleTool({ name: '' }))).toBe('invalid_input');
    const list = { tools: [{ inputSchema: {} }] };
    expect(await failureCode(() => fromMcpToolList(list, () => undefined))).toBe('protocol_error');
  });
});

describe('over the wire', () => {
  it('comes back whole, and says nothing that is a default', () => {
    const tool = sampleTool({ requiresP2p: true, retry: 'fixed', cacheTtlMs: 1000, sticky: 's', deprecation: 'old' });
    const wire = toMcpTool(tool.metadata);
    expect(fromMcpToolList({ tools: [wire] }, () => undefined)).toEqual([tool.metadata]);
    const ours = (toMcpTool(metadata)['_meta'] as Record<string, object>)[META.metadata];
    expect(ours).not.toHaveProperty('cacheTtlMs');
  });

  it('reads trio and fastapi as mesh and relay, and the names and seconds of the original', () => {
    expect(read({ runtime: 'trio' }).runtime).toBe('mesh');
    expect(read({ runtime: 'fastapi' }).runtime).toBe('relay');
    expect(
      read({
        access: 'read',
        timeout_seconds: 2,
        cache_ttl: 3,
        requires_p2p: true,
        cpu_intensive: true,
        deprecated: true,
        deprecation_message: 'use echo',
        schema_version: '1.2',
      }),
    ).toMatchObject({
      timeoutMs: 2000,
      cacheTtlMs: 3000,
      requiresP2p: true,
      cpuIntensive: true,
      deprecation: 'use echo',
      schemaVersion: '1.2',
    });
    expect(read({ timeout_seconds: null }).timeoutMs).toBe(3_600_000);
  });

  it('leaves out a tool whose record cannot be taken, with the reason, and keeps the others', () => {
    const bad = { ...toMcpTool(metadata), name: 'bad', _meta: { [META.metadata]: { retry_policy: 'custom' } } };
    const reasons: string[] = [];
    const kept = fromMcpToolList({ tools: [bad, toMcpTool(metadata)] }, ({ message }) => reasons.push(message));
    expect(kept.map(({ name }) => name)).toEqual(['sample']);
    expect(reasons).toEqual([expect.stringContaining('"custom"')]);
  });

  it('never lets a peer have answers kept of a tool that does more than read', () => {
    expect(read({ access: 'compute', cacheTtlMs: 1000 }).cacheTtlMs).toBeNull();
    expect(read({ access: 'read', cacheTtlMs: 1e12 }).cacheTtlMs).toBe(3_600_000);
  });
});

describe('the registry', () => {
  it('TM11: returns what was registered', () => {
    const registry = createToolRegistry();
    const tool = named('one');
    registry.register(tool);
    expect(registry.get('one')).toBe(tool);
  });

  it('TM12: lists five after five registrations', () => {
    const registry = createToolRegistry();
    for (const name of ['a', 'b', 'c', 'd', 'e']) registry.register(named(name));
    expect(registry.list()).toHaveLength(5);
  });

  it('TM13, TM37: finds by name, and nothing for an unknown one', () => {
    const registry = createToolRegistry([named('one')]);
    expect(registry.get('one')?.metadata.name).toBe('one');
    expect(registry.get('two')).toBeUndefined();
  });

  const some = () =>
    createToolRegistry([
      named('a', { runtime: 'relay', category: 'x' }),
      named('b', { runtime: 'mesh', category: 'x', requiresP2p: true }),
      named('c', { runtime: 'mesh', category: 'y' }),
    ]);
  const names = (tools: readonly { readonly metadata: ToolMetadata }[]) => tools.map((tool) => tool.metadata.name);

  it('TM14, TM15: lists exactly those of a runtime', () => {
    expect(names(some().listByRuntime('relay'))).toEqual(['a']);
    expect(names(some().listByRuntime('mesh'))).toEqual(['b', 'c']);
    expect(some().listByRuntime('auto')).toEqual([]);
  });

  it('TM16: lists exactly those of a category', () => {
    expect(names(some().listByCategory('x'))).toEqual(['a', 'b']);
    expect(some().listByCategory('z')).toEqual([]);
  });

  it('TM17, TM35: counts totals, by runtime with all three keys, by category, p2p tools and categories', () => {
    expect(some().statistics()).toEqual({
      total: 3,
      byRuntime: { mesh: 2, relay: 1, auto: 0 },
      byCategory: { x: 2, y: 1 },
      p2pTools: 1,
      categories: 2,
    });
  });

  it('TM18: warns when a tool comes back under another runtime, and keeps no trace of the old one', () => {
    const { log, events } = loggedEvents();
    const registry = createToolRegistry([named('a', { runtime: 'relay', category: 'x' })], log);
    registry.register(named('a', { runtime: 'mesh', category: 'x' }));
    expect(events).toEqual(['tool registered under another runtime']);
    expect(registry.listByRuntime('relay')).toEqual([]);
    expect(registry.statistics()).toMatchObject({ total: 1, byRuntime: { mesh: 1, relay: 0, auto: 0 } });
  });

  it('TM19: is empty after clear, statistics too', () => {
    const registry = some();
    registry.clear();
    expect(registry.list()).toEqual([]);
    expect(registry.statistics()).toMatchObject({ total: 0, byCategory: {}, categories: 0 });
  });

  it('TM34: replaces a duplicate, whose new category shows and whose old one is gone', () => {
    const registry = createToolRegistry([named('a', { category: 'x' })]);
    registry.register(named('a', { category: 'y' }));
    expect(registry.listByCategory('x')).toEqual([]);
    expect(names(registry.listByCategory('y'))).toEqual(['a']);
    expect(registry.list()).toHaveLength(1);
  });

  it('TM36: loses nothing when thirty are registered at once', async () => {
    const registry = createToolRegistry();
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await Promise.resolve();
        registry.register(named(`tool_${String(i)}`));
      }),
    );
    expect(registry.statistics().total).toBe(30);
  });
});

/** Python's decorator is `defineTool` here: it makes a record and a callable of one definition. */
describe('defineTool in the place of the decorator', () => {
  const request = { tool: 'sample', args: { text: 'x' }, principal: memberPrincipal };

  it('TM20, TM21: attaches the record, whether the function answers at once or later', async () => {
    const later = sampleTool({ run: async (_context, { text }) => (await Promise.resolve(), { text }) });
    for (const tool of [sampleTool(), later]) {
      expect(tool.metadata.name).toBe('sample');
      expect(await localTools([tool], systemClock).call(request)).toEqual({ text: 'x' });
    }
  });

  it('TM22: passes every parameter through', () => {
    const given = {
      name: 'other',
      category: 'c',
      access: 'compute',
      runtime: 'relay',
      timeoutMs: 7,
      priority: 1,
    } as const;
    expect(sampleTool(given).metadata).toMatchObject(given);
  });

  it("TM23, TM38: what is in the peer's one registry is what it offers, and stays there", async () => {
    const local = localTools([sampleTool()], systemClock);
    expect(local.list()).toEqual([metadata]);
    await local.call(request);
    expect(local.list()).toEqual([metadata]);
  });

  it('TM24, TM25: takes the description from the definition, which must have one', async () => {
    expect(sampleTool({ description: 'Explicit.' }).metadata.description).toBe('Explicit.');
    expect((await failure(() => sampleTool({ description: '' }))).message).toContain('description');
  });

  it('TM26: gives the record by the tool itself', () => {
    const tool = sampleTool();
    expect(createToolRegistry([tool]).get('sample')?.metadata).toBe(tool.metadata);
  });

  it('TM27: of a function that was never defined as a tool there is no record', () => {
    expect(createToolRegistry().get('toString')).toBeUndefined();
  });

  it('TM28: the four attributes that older programs read are fields of the record', () => {
    const { runtime, requiresP2p, category, priority } = metadata;
    expect({ runtime, requiresP2p, category, priority }).toEqual({
      runtime: 'mesh',
      requiresP2p: false,
      category: 'test',
      priority: 5,
    });
  });

  it('TM29: the tool can still be called, under its name and with its description', async () => {
    const tool = sampleTool();
    expect(await localTools([tool], systemClock).call(request)).toEqual({ text: 'x' });
    expect(tool.metadata).toMatchObject({ name: 'sample', description: 'Returns its text.' });
  });
});
