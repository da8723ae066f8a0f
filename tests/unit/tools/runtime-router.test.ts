import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { createToolRegistry } from '../../../src/tools/registry.ts';
import { createRuntimeDetector } from '../../../src/tools/runtime.ts';
import { loggedEvents } from '../../support/logged.ts';
import { RuntimeRouter, startRuntimeRouter, type Callable } from '../../support/runtime-router.ts';
import { failureCode, sampleTool } from '../../support/tools.ts';

/** The cases of the router that are told in terms of the original: functions, a default of its own, start and stop. */
const plain: Callable = () => 'done';
const fn = (attributes: { readonly runtime?: string; readonly module?: string }): Callable =>
  Object.assign(() => 'done', attributes);
const withRuntime = (name: string, runtime: 'mesh' | 'relay' | 'auto') =>
  createToolRegistry([sampleTool({ name, runtime })]);

describe('a new router', () => {
  it('RR10: has the general runtime as its default, metrics on, memory tracking off, and does not run', () => {
    const { options, running } = new RuntimeRouter();
    expect(options).toMatchObject({ defaultRuntime: 'relay', enableMetrics: true, enableMemoryTracking: false });
    expect(running).toBe(false);
  });

  it('RR11, RR12, RR13: takes its options', () => {
    const registry = createToolRegistry();
    const given = { defaultRuntime: 'mesh', enableMetrics: false, enableMemoryTracking: true, registry } as const;
    expect(new RuntimeRouter(given).options).toMatchObject(given);
    expect(new RuntimeRouter(given).detect('some_tool', plain)).toBe('mesh');
  });

  it('RR14, RR15, RR16, RR17: starts, warns when started twice, stops, and stops again without harm', () => {
    const { log, events } = loggedEvents();
    const router = new RuntimeRouter({ log });
    router.shutdown();
    router.startup();
    expect(router.running).toBe(true);
    expect(events).toEqual([]);
    router.startup();
    expect(events).toEqual(['router is already running']);
    router.shutdown();
    expect(router.running).toBe(false);
  });

  it('RR18, RR44: the factory starts it and keeps the options; its scope ends it', () => {
    const router = startRuntimeRouter({ defaultRuntime: 'mesh' });
    expect(router.running).toBe(true);
    expect(router.options.defaultRuntime).toBe('mesh');
    router.shutdown();
    expect(router.running).toBe(false);
  });

  it('RR45: says of itself default, state and number of tools', () => {
    const router = startRuntimeRouter();
    router.register('a', 'mesh');
    expect(router.toString()).toBe('RuntimeRouter(default=relay, running, tools=1)');
  });
});

describe('detection', () => {
  it('RR19, RR28, RR47: what was detected or registered comes first, whatever the registry says', () => {
    const router = new RuntimeRouter({ registry: withRuntime('a_tool', 'relay') });
    router.register('a_tool', 'mesh');
    expect(router.detect('a_tool', plain)).toBe('mesh');
    let said: 'mesh' | 'relay' = 'mesh';
    const detector = createRuntimeDetector({ declared: () => said });
    expect(detector.detect('b_tool', 'auto')).toBe('mesh');
    said = 'relay';
    expect(detector.detect('b_tool', 'auto')).toBe('mesh');
    // ours: when the tools have changed, what was detected of them is detected anew
    detector.invalidate();
    expect(detector.detect('b_tool', 'auto')).toBe('relay');
  });

  it('RR20: the registry decides when nothing was detected; auto is no answer', () => {
    expect(new RuntimeRouter({ registry: withRuntime('a', 'mesh') }).detect('a', plain)).toBe('mesh');
    expect(new RuntimeRouter({ registry: withRuntime('a', 'auto') }).detect('a', plain)).toBe('relay');
  });

  it('RR21: then the attribute of the function, by either name', () => {
    const router = new RuntimeRouter();
    expect(router.detect('a', fn({ runtime: 'trio' }))).toBe('mesh');
    expect(router.detect('b', fn({ runtime: 'mesh' }))).toBe('mesh');
    expect(router.detect('p2p_c', fn({ runtime: 'fastapi' }))).toBe('relay');
    expect(router.detect('d', fn({ runtime: 'nonsense' }))).toBe('relay');
  });

  it.each(['x.mcplusplus_module.tools', 'x.trio.tools'])('RR22, RR23: then the module, %s', (module) => {
    expect(new RuntimeRouter().detect('a', fn({ module }))).toBe('mesh');
  });

  it.each(['p2p_send', 'workflow_submit', 'taskqueue_add', 'my_Peer_tool', 'bootstrap_network'])(
    'RR24, RR25, RR26, RR58: then the name, %s',
    (name) => {
      expect(new RuntimeRouter().detect(name, plain)).toBe('mesh');
    },
  );

  it('RR27, RR51: then the default, which is auto unless the view says otherwise', () => {
    expect(new RuntimeRouter().detect('load_dataset', plain)).toBe('relay');
    expect(createRuntimeDetector({ declared: () => undefined }).detect('load_dataset', 'auto')).toBe('auto');
  });

  it('RR46: a record beats a name that says otherwise', () => {
    expect(new RuntimeRouter({ registry: withRuntime('p2p_x', 'relay') }).detect('p2p_x', plain)).toBe('relay');
    expect(
      new RuntimeRouter().detect(
        'p2p_y',
        Object.assign(() => 1, { metadata: sampleTool({ runtime: 'relay' }).metadata }),
      ),
    ).toBe('relay');
  });

  it('RR55: without a function only the name counts, and nothing is remembered', () => {
    const router = new RuntimeRouter();
    expect(router.detect('a', null)).toBe('relay');
    expect(router.detect('p2p_a', null)).toBe('mesh');
    expect(router.runtimeOf('p2p_a')).toBeNull();
  });

  it('RR56, RR57: an anonymous and a built-in function do no harm', () => {
    expect(new RuntimeRouter().detect('', () => 1)).toBe('relay');
    expect(new RuntimeRouter().detect('parse', JSON.parse)).toBe('relay');
  });

  it('RR59: queue and workflow tools belong to the mesh, dataset and embedding tools do not', () => {
    const router = new RuntimeRouter();
    const found = ['taskqueue_submit', 'workflow_status', 'load_dataset', 'create_embeddings'].map((name) =>
      router.detect(name, plain),
    );
    expect(found).toEqual(['mesh', 'mesh', 'relay', 'relay']);
  });

  it('RR61: a second look is not slower than the first', () => {
    const detector = createRuntimeDetector({ declared: () => undefined });
    const names = Array.from({ length: 20_000 }, (_, i) => `some_rather_long_tool_name_${String(i)}`);
    const time = () => {
      const start = performance.now();
      for (const name of names) detector.detect(name, 'auto');
      return performance.now() - start;
    };
    time();
    detector.invalidate();
    const first = time();
    const again = Math.min(...Array.from({ length: 5 }, time));
    expect(again).toBeLessThanOrEqual(first * 1.1);
  });
});

describe('registration', () => {
  it('RR29, RR31: is kept by name; an unregistered tool has none', () => {
    const router = new RuntimeRouter();
    router.register('a', 'fastapi');
    router.register('b', 'mesh');
    expect([router.runtimeOf('a'), router.runtimeOf('b'), router.runtimeOf('c')]).toEqual(['relay', 'mesh', null]);
  });

  it('RR30: of an unknown runtime is refused', async () => {
    expect(
      await failureCode(() => {
        new RuntimeRouter().register('a', 'cloud');
      }),
    ).toBe('invalid_input');
  });

  it('RR32: lists exactly by runtime', () => {
    const router = new RuntimeRouter();
    router.register('a', 'relay');
    router.register('b', 'mesh');
    router.register('c', 'mesh');
    expect([router.listByRuntime('relay'), router.listByRuntime('mesh')]).toEqual([['a'], ['b', 'c']]);
  });

  it('RR33, RR60: of a whole registry takes all that are not auto, as often as one likes', () => {
    const tools = (['mesh', 'relay', 'auto'] as const).map((runtime) => sampleTool({ name: `t_${runtime}`, runtime }));
    const router = new RuntimeRouter({ registry: createToolRegistry(tools) });
    expect([router.registerAll(), router.registerAll()]).toEqual([2, 2]);
    expect(router.runtimeOf('t_auto')).toBeNull();
    expect(new RuntimeRouter({ registry: null }).registerAll()).toBe(0);
  });

  it('RR43: the statistics of the registry are at hand', () => {
    expect(new RuntimeRouter({ registry: withRuntime('a', 'mesh') }).options.registry?.statistics().total).toBe(1);
  });
});

describe('routing', () => {
  it('RR34: before the start is an error, before anything is detected', async () => {
    const router = new RuntimeRouter();
    expect(await failureCode(() => router.route('p2p_a', () => 1))).toBe('conflict');
    expect(router.runtimeOf('p2p_a')).toBeNull();
  });

  it('RR35, RR36, RR37: gives the result, later or at once, and passes arguments on', async () => {
    const router = startRuntimeRouter();
    expect(await router.route('a', () => 1)).toBe(1);
    expect(await router.route('b', async () => (await Promise.resolve(), 2))).toBe(2);
    const add = (a: number, named: { readonly b: number }) => a + named.b;
    expect(await router.route('c', add as never, ...([1, { b: 2 }] as never[]))).toBe(3);
  });

  it("RR38, RR39, RR50: passes the tool's own error on, and books it on the right runtime only", async () => {
    const router = startRuntimeRouter();
    const fails = () => Promise.reject(new RangeError('its own'));
    await expect(router.route('p2p_a', fails)).rejects.toThrow(RangeError);
    await router.route('a', () => 1);
    const { mesh, relay } = router.metrics.getMetrics();
    expect([mesh.errorCount, relay.errorCount, mesh.requestCount, relay.requestCount]).toEqual([1, 0, 1, 1]);
    expect(mesh.totalMs).toBeGreaterThanOrEqual(0);
  });

  it('RR64: goes on after a tool that failed', async () => {
    const router = startRuntimeRouter();
    await expect(router.route('a', () => Promise.reject(new TabmeshError('tool_failed', 'x')))).rejects.toThrow();
    expect(await router.route('a', () => 'well')).toBe('well');
  });

  it('RR12: with metrics off counts nothing', async () => {
    const router = startRuntimeRouter({ enableMetrics: false });
    await router.route('a', () => 1);
    expect(router.metrics.getRuntimeStats().totalRequests).toBe(0);
  });
});
