import { describe, expect, it } from 'vitest';
import type { BootstrapNode, Reachability } from '../../../../src/contracts/bootstrap.ts';
import { shared } from '../../../../src/lib/shared.ts';
import { checkBootstrapAddress } from '../../../../src/mesh/bootstrap/address.ts';
import { Bootstrapper, type BootstrapperOptions } from '../../../../src/mesh/bootstrap/bootstrapper.ts';
import { bootstrapNode, PUBLIC_IPFS_NODES } from '../../../../src/mesh/bootstrap/nodes.ts';
import { PeerMetrics } from '../../../../src/monitor/peer-metrics.ts';
import { manualClock, settle } from '../../../support/manual-clock.ts';
import { never, PEERS } from '../../../support/peer-records.ts';

const UNKNOWN: Reachability = { publicAddress: () => Promise.resolve(null), natType: () => Promise.resolve('unknown') };

const address = (n: number) => `/dns4/node${String(n)}.example.org/tcp/443/tls/ws/p2p/${PEERS[0]}`;
const node = (n: number, fields: Partial<BootstrapNode> = {}) =>
  bootstrapNode({ multiaddr: address(n), method: 'relay', ...fields });

type Reach = BootstrapperOptions['reach'];

function bootstrapper(reach: Reach, options: Partial<BootstrapperOptions> = {}) {
  const clock = manualClock();
  return { clock, boot: new Bootstrapper({ reach, reachability: UNKNOWN, clock, ...options }) };
}

/** Reaches every node, and leads to two peers. */
const reached: Reach = () => Promise.resolve(2);
const refused: Reach = () => Promise.reject(new Error('refused'));
/** Reaches no node, and gives up only when told to. */
const hangs: Reach = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

describe('the nodes to start from', () => {
  it('BS1 there is a list of the five usual public nodes, of priority 5', () => {
    expect(PUBLIC_IPFS_NODES).toHaveLength(5);
    expect(new Set(PUBLIC_IPFS_NODES.map(({ priority }) => priority))).toEqual(new Set([5]));
    expect(PUBLIC_IPFS_NODES.filter(({ multiaddr }) => multiaddr.startsWith('/dnsaddr/'))).toHaveLength(4);
    expect(bootstrapper(reached).boot.nodes()).toEqual([]);
  });

  it('BS2 a node has priority 5 and 10 s by default', () => {
    expect(node(1)).toEqual({ multiaddr: address(1), method: 'relay', priority: 5, timeoutSeconds: 10, metadata: {} });
  });

  it('BS3 a custom server has priority 3 and comes before the defaults', () => {
    const { boot } = bootstrapper(reached, { nodes: PUBLIC_IPFS_NODES });
    boot.addCustomServer(address(1));
    expect(boot.nodes()).toHaveLength(6);
    expect(boot.nodes()[0]).toMatchObject({
      multiaddr: address(1),
      method: 'custom_server',
      priority: 3,
      timeoutSeconds: 10,
    });
  });

  it('BS4 equal priority keeps the order of insertion', () => {
    const { boot } = bootstrapper(reached);
    for (const [n, priority] of [5, 1, 5, 1].entries()) boot.add(node(n, { priority }));
    expect(boot.nodes().map(({ multiaddr }) => multiaddr)).toEqual([1, 3, 0, 2].map(address));
  });

  it.each([
    ...PUBLIC_IPFS_NODES.map(({ multiaddr }) => multiaddr),
    `/dns4/relay.example.org/tcp/443/wss/p2p/${PEERS[0]}`,
    `/dns4/relay.example.org/tcp/443/tls/ws/http-path/room%2Fa/p2p/${PEERS[0]}`,
    `/ip6/2001:db8::1/tcp/80/ws/p2p/${PEERS[0]}`,
    `/ip4/192.0.2.1/udp/9090/webrtc-direct/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g/p2p/${PEERS[0]}`,
    `/dns4/relay.example.org/tcp/443/wss/p2p/${PEERS[0]}/p2p-circuit/webrtc/p2p/${PEERS[1]}`,
    `/ip4/192.0.2.1/udp/4001/quic-v1/p2p/${PEERS[0]}`,
    `/dnsaddr/bootstrap.example.org/ipfs/${PEERS[0]}`,
  ])('BS28 %s is an address', (text) => {
    expect(checkBootstrapAddress(text)).toMatchObject({ ok: true });
  });

  it.each([
    ['', 'host'],
    ['relay.example.org', 'no multiaddr'],
    ['/dns4/relay.example.org/tcp/443/wss', 'peer id'],
    [`/p2p/${PEERS[0]}`, 'host'],
    [`/ip4/192.0.2.1/p2p/${PEERS[0]}`, 'port'],
    [`/ip4/300.0.2.1/tcp/1/p2p/${PEERS[0]}`, 'no multiaddr'],
    [`/dns4/${'a'.repeat(600)}/tcp/1/p2p/${PEERS[0]}`, 'too long'],
  ])('BS28 %s is none', (text, reason) => {
    expect(checkBootstrapAddress(text)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(reason) as unknown,
    });
    expect(() => bootstrapper(reached).boot.addCustomServer(text)).toThrow('no bootstrap address');
  });
});

describe('a bootstrap run', () => {
  it('BS5 max_nodes cuts after sorting', async () => {
    const tried: string[] = [];
    const { boot } = bootstrapper(({ multiaddr }) => Promise.resolve(tried.push(multiaddr)));
    for (const priority of [9, 1, 5]) boot.add(node(priority, { priority }));
    const result = await boot.run({ maxNodes: 2 }, never());
    expect(tried).toEqual([1, 5].map(address));
    expect(result.totalAttempts).toBe(2);
  });

  it('BS6 at most three attempts run at once, and all are made', async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const { boot } = bootstrapper(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return running--;
    });
    for (let n = 0; n < 7; n++) boot.add(node(n));
    const run = boot.run({}, never());
    for (let n = 0; n < 7; n++) {
      await settle();
      waiting.shift()?.();
    }
    expect((await run).successfulNodes).toBe(7);
    expect(most).toBe(3);
  });

  it('BS7 one success is a success', async () => {
    const { boot } = bootstrapper((tried, signal) =>
      (tried.multiaddr === address(1) ? reached : refused)(tried, signal),
    );
    for (const n of [0, 1, 2]) boot.add(node(n));
    const result = await boot.run({}, never());
    expect(result).toMatchObject({ success: true, successfulNodes: 1, failedNodes: 2, totalAttempts: 3 });
    expect(result.attempts.map(({ peerCount }) => peerCount)).toEqual([0, 2, 0]);
  });

  it('BS8 when all fail it is none, and the counts are right', async () => {
    const { boot } = bootstrapper(refused);
    for (const n of [0, 1, 2]) boot.add(node(n));
    expect(await boot.run({}, never())).toMatchObject({
      success: false,
      successfulNodes: 0,
      failedNodes: 3,
      totalAttempts: 3,
    });
  });

  it('BS9 a node that throws counts as failed, with its reason', async () => {
    const { boot } = bootstrapper(() => {
      throw new TypeError('out of tune');
    });
    boot.add(node(1));
    const { attempts } = await boot.run({}, never());
    expect(attempts).toMatchObject([{ status: 'failed', error: 'out of tune', peerCount: 0 }]);
  });

  it("BS10 a node's own time limit ends its attempt as a timeout, with the seconds", async () => {
    const { boot, clock } = bootstrapper(hangs);
    boot.add(node(1, { timeoutSeconds: 4 }));
    const run = boot.run({}, never());
    await clock.advance(3_999);
    expect(boot.history()[0]?.status).toBe('in_progress');
    await clock.advance(1);
    const { attempts, success } = await run;
    expect(success).toBe(false);
    expect(attempts).toMatchObject([{ status: 'timeout', error: 'no answer within 4 s', durationMs: 4000 }]);
  });

  it('BS11 the overall time limit ends the run, and what had finished counts', async () => {
    const { boot, clock } = bootstrapper((tried, signal) =>
      (tried.multiaddr === address(0) ? reached : hangs)(tried, signal),
    );
    for (const n of [0, 1, 2, 3, 4]) boot.add(node(n, { timeoutSeconds: 60 }));
    const run = boot.run({ timeoutMs: 5_000 }, never());
    await clock.advance(5_000);
    const result = await run;
    expect(result).toMatchObject({
      success: true,
      successfulNodes: 1,
      failedNodes: 4,
      totalAttempts: 5,
      executionMs: 5000,
    });
    expect(result.attempts.map(({ status }) => status)).toEqual([
      'success',
      'timeout',
      'timeout',
      'timeout',
      'timeout',
    ]);
    expect(result.attempts.every(({ endedAt }) => endedAt !== null)).toBe(true);
  });

  it('BS11 it also ends when a node ignores its signal', async () => {
    const { boot, clock } = bootstrapper(() => new Promise(() => undefined));
    boot.add(node(1, { timeoutSeconds: 60 }));
    const run = boot.run({ timeoutMs: 5_000 }, never());
    await clock.advance(5_000);
    expect(await run).toMatchObject({ success: false, failedNodes: 1 });
  });

  it('BS12 an attempt goes from pending to in_progress to its end', async () => {
    const { boot, clock } = bootstrapper(hangs);
    for (const n of [0, 1, 2, 3]) boot.add(node(n, { timeoutSeconds: 1 }));
    const run = boot.run({}, never());
    await settle();
    expect(boot.history().map(({ status }) => status)).toEqual([
      'in_progress',
      'in_progress',
      'in_progress',
      'pending',
    ]);
    await clock.advance(1000);
    expect(boot.history().map(({ status }) => status)).toEqual(['timeout', 'timeout', 'timeout', 'in_progress']);
    await clock.advance(1000);
    await run;
    expect(boot.history().at(-1)).toMatchObject({
      status: 'timeout',
      endedAt: clock.now(),
      startedAt: clock.now() - 1000,
    });
  });

  it('BS13 history has method, status and duration, which is null while open', async () => {
    const { boot, clock } = bootstrapper(hangs);
    boot.addCustomServer(address(1));
    const run = boot.run({}, never());
    await settle();
    expect(boot.history()).toMatchObject([
      { node: { method: 'custom_server' }, status: 'in_progress', durationMs: null, endedAt: null },
    ]);
    await clock.advance(10_000);
    await run;
    expect(boot.history()).toMatchObject([{ status: 'timeout', durationMs: 10_000 }]);
  });

  it('BS14 history accumulates over runs, and can be cleared', async () => {
    const { boot } = bootstrapper(reached);
    boot.add(node(1));
    await boot.run({}, never());
    const second = await boot.run({ nodes: [node(2)] }, never());
    expect(second.totalAttempts).toBe(1);
    expect(second.attempts.map(({ node: tried }) => tried.multiaddr)).toEqual([1, 2].map(address));
    boot.clearHistory();
    expect(boot.history()).toEqual([]);
  });

  it('BS15 the result tells public address, NAT type and how long it took', async () => {
    const reachability: Reachability = {
      publicAddress: () => Promise.resolve('198.51.100.7'),
      natType: () => Promise.resolve('cone'),
    };
    const { boot, clock } = bootstrapper(hangs, { reachability });
    boot.add(node(1, { timeoutSeconds: 2 }));
    const run = boot.run({}, never());
    await clock.advance(2000);
    expect(await run).toMatchObject({ publicIp: '198.51.100.7', natType: 'cone', executionMs: 2000 });
  });

  it('BS20 an address that cannot be found out keeps nobody from the network', async () => {
    const reachability: Reachability = {
      publicAddress: () => Promise.reject(new Error('no')),
      natType: () => new Promise(() => undefined),
    };
    const { boot, clock } = bootstrapper(reached, { reachability });
    boot.add(node(1));
    const run = boot.run({ timeoutMs: 3000 }, never());
    await clock.advance(3000);
    expect(await run).toMatchObject({ success: true, publicIp: null, natType: 'unknown' });
  });

  it('ends with its caller', async () => {
    const stop = new AbortController();
    const { boot } = bootstrapper(hangs);
    for (const n of [0, 1, 2, 3]) boot.add(node(n));
    const run = boot.run({}, stop.signal);
    await settle();
    stop.abort();
    await expect(run).rejects.toThrow();
    expect(boot.history().map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'failed']);
  });

  it('BS27 port mapping is not supported: false, no throw', async () => {
    const { boot } = bootstrapper(reached);
    expect(await boot.mapPort({ internalPort: 1, externalPort: 1, protocol: 'tcp', lifetimeSeconds: 3600 })).toBe(
      false,
    );
  });

  it('BS30 shared: the same instance for everybody, a new one after a reset', () => {
    const one = shared(() => bootstrapper(reached).boot);
    const first = one.get();
    expect(one.get()).toBe(first);
    one.reset();
    expect(one.get()).not.toBe(first);
  });

  it('PI8 the first run fails, the second succeeds: two attempts, one success', async () => {
    const clock = manualClock();
    const metrics = new PeerMetrics(clock);
    let tries = 0;
    const { boot } = bootstrapper((tried, signal) => (tries++ === 0 ? refused : reached)(tried, signal), {
      onBootstrap: metrics.trackBootstrap,
    });
    boot.add(node(1));
    expect((await boot.run({}, never())).success).toBe(false);
    expect((await boot.run({}, never())).success).toBe(true);
    expect(metrics.snapshot().bootstrap).toMatchObject({
      total: 2,
      successful: 1,
      failed: 1,
      successRate: 50,
      byMethod: { relay: 2 },
      last: clock.now(),
    });
  });
});
