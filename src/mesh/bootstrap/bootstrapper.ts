import type {
  AttemptStatus,
  BootstrapAttempt,
  BootstrapNode,
  BootstrapResult,
  OnBootstrap,
  Reachability,
} from '../../contracts/bootstrap.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline, type Deadline } from '../../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import { mapBounded } from '../../lib/semaphore.ts';
import { checkBootstrapAddress } from './address.ts';
import type { PortMapping } from './port-mapping.ts';
import { mapPort } from './port-mapping.ts';
import { bootstrapNode, CUSTOM_PRIORITY, DEFAULT_TIMEOUT_SECONDS } from './nodes.ts';

/** Handshakes compete for the same line; three keep it busy when one of them hangs. */
const PARALLEL_ATTEMPTS = 3;
const DEFAULT_TIMEOUT_MS = 30_000;
/** Attempts that are remembered: hundreds of runs. */
const MAX_HISTORY = 1000;

export interface BootstrapperOptions {
  /** reaches a node. @returns how many peers it led to. Must heed the signal */
  readonly reach: (node: BootstrapNode, signal: AbortSignal) => Promise<number>;
  readonly reachability: Reachability;
  readonly clock: Clock;
  readonly nodes?: readonly BootstrapNode[];
  readonly onBootstrap?: OnBootstrap;
}

export interface BootstrapRun {
  /** instead of those that were added */
  readonly nodes?: readonly BootstrapNode[];
  /** cut after sorting; all when absent */
  readonly maxNodes?: number;
  readonly timeoutMs?: number;
}

interface Attempt {
  readonly node: BootstrapNode;
  readonly startedAt: number;
  status: AttemptStatus;
  endedAt: number | null;
  error: string | null;
  peerCount: number;
}

/** Gets a peer into the network: tries a list of nodes, a few at a time, and keeps account of it. */
export class Bootstrapper {
  readonly #options: BootstrapperOptions;
  readonly #nodes: BootstrapNode[];
  #history: Attempt[] = [];

  constructor(options: BootstrapperOptions) {
    this.#options = options;
    this.#nodes = [...(options.nodes ?? [])];
  }

  /** first to try first: by priority, then in the order they were added */
  nodes(): readonly BootstrapNode[] {
    return inOrder(this.#nodes);
  }

  /** @throws `invalid_input` for an address that leads nowhere */
  add(node: BootstrapNode): void {
    const checked = checkBootstrapAddress(node.multiaddr);
    if (!checked.ok) {
      throw new TabmeshError('invalid_input', `"${node.multiaddr}" is no bootstrap address: ${checked.reason}`, {
        hint: 'It looks like /dns4/relay.example.org/tcp/443/tls/ws/p2p/12D3…',
      });
    }
    this.#nodes.push(node);
  }

  /** A server that somebody runs: tried before the others. @throws `invalid_input` */
  addCustomServer(multiaddr: string, priority = CUSTOM_PRIORITY, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS): void {
    this.add(bootstrapNode({ multiaddr, method: 'custom_server', priority, timeoutSeconds }));
  }

  /**
   * Tries the nodes, all of them, also after the first that was reached. Meanwhile it looks how this device is seen from
   * outside. Ends with the overall time limit: what had been tried by then counts, the rest are timeouts.
   * @throws `cancelled`
   */
  async run(
    { nodes = this.#nodes, maxNodes, timeoutMs = DEFAULT_TIMEOUT_MS }: BootstrapRun,
    signal: AbortSignal,
  ): Promise<BootstrapResult> {
    const { clock, reachability } = this.#options;
    signal.throwIfAborted();
    const started = clock.now();
    const attempts = inOrder(nodes)
      .slice(0, maxNodes)
      .map((node): Attempt => ({
        node,
        startedAt: started,
        status: 'pending',
        endedAt: null,
        error: null,
        peerCount: 0,
      }));
    this.#history = [...this.#history, ...attempts].slice(-MAX_HISTORY);

    const overall = startDeadline({ clock, ms: timeoutMs, what: 'bootstrap', signal });
    let publicIp: string | null = null;
    let natType: BootstrapResult['natType'] = 'unknown';
    try {
      await Promise.all([
        mapBounded(attempts, PARALLEL_ATTEMPTS, (attempt) => this.#attempt(attempt, overall)),
        within(overall, null, reachability.publicAddress(overall.signal)).then((found) => (publicIp = found)),
        within(overall, 'unknown' as const, reachability.natType(overall.signal)).then((found) => (natType = found)),
      ]);
    } finally {
      overall.dispose();
    }
    signal.throwIfAborted();

    const reached = attempts.filter(({ status }) => status === 'success').map(({ node }) => node.multiaddr);
    return {
      success: reached.length > 0,
      successfulNodes: reached.length,
      failedNodes: attempts.length - reached.length,
      reached,
      totalAttempts: attempts.length,
      publicIp,
      natType,
      executionMs: clock.now() - started,
      attempts: this.history(),
    };
  }

  /** Asks the router for a port. @returns whether it was given */
  mapPort(mapping: PortMapping): Promise<boolean> {
    return mapPort(mapping);
  }

  /** every attempt so far, oldest first */
  history(): readonly BootstrapAttempt[] {
    return this.#history.map((attempt) => ({
      ...attempt,
      durationMs: attempt.endedAt === null ? null : attempt.endedAt - attempt.startedAt,
    }));
  }

  clearHistory(): void {
    this.#history = [];
  }

  async #attempt(attempt: Attempt, overall: Deadline): Promise<void> {
    const { clock, reach, onBootstrap } = this.#options;
    const { node } = attempt;
    const began = clock.now();
    const end = (status: AttemptStatus, error: string | null) => {
      Object.assign(attempt, { status, error, endedAt: clock.now() });
      onBootstrap?.(node.method, status === 'success', clock.now() - began, { target: node.multiaddr, error });
    };
    const over = () => overall.reason()?.code;
    if (over() !== undefined) {
      if (over() === 'cancelled') end('failed', 'cancelled before its turn');
      else end('timeout', 'the overall time limit came before its turn');
      return;
    }
    Object.assign(attempt, { status: 'in_progress', startedAt: began });
    const own = startDeadline({ clock, ms: node.timeoutSeconds * 1000, what: node.multiaddr, signal: overall.signal });
    try {
      attempt.peerCount = await own.race(reach(node, own.signal));
      end('success', null);
    } catch (thrown) {
      const error = own.reason() ?? toTabmeshError(thrown);
      if (over() === 'cancelled') end('failed', 'cancelled');
      else if (over() !== undefined) end('timeout', 'the overall time limit came first');
      else if (error.code === 'timeout') end('timeout', `no answer within ${node.timeoutSeconds} s`);
      else end('failed', error.message);
    } finally {
      own.dispose();
    }
  }
}

function inOrder(nodes: readonly BootstrapNode[]): BootstrapNode[] {
  return [...nodes].sort((a, b) => a.priority - b.priority);
}

/** What could not be found out, in time or at all, is not known; the network can be reached all the same. */
async function within<T>(overall: Deadline, unknown: T, work: Promise<T>): Promise<T> {
  return overall.race(work).catch(() => unknown);
}
