import type { PeerRecord, PeerSource } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { coalesce } from '../../lib/coalesce.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { Membership } from '../membership/membership.ts';
import type { DiscoveryCoordinator } from './coordinator.ts';
import type { DialDiscovered } from './dial-discovered.ts';

/** A record that is published lives for half an hour, so that a few heartbeats may be missed. */
export const OWN_TTL_SECONDS = 1800;
const HEARTBEAT_MS = 5 * 60_000;
/** A room that fills up is asked once about many new members. */
const LOOK_AGAIN_MS = 10_000;
/** Where this peer's own record is published; the other sources learn of it by themselves. */
const PUBLIC: readonly PeerSource[] = ['broadcast', 'github'];
/** Where this device remembers members. */
const MEMORY: readonly PeerSource[] = ['local_store', 'local_file'];

export interface DiscoveryLoopOptions {
  readonly coordinator: DiscoveryCoordinator;
  readonly dialer: DialDiscovered;
  readonly membership: Pick<Membership, 'subscribe' | 'linkTo'>;
  /** this peer as others may find it; undefined while it cannot be reached */
  readonly own: () => PeerRecord | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps discovery going for as long as a room is open: publishes this peer, remembers members, looks for more. */
export class DiscoveryLoop {
  readonly #options: DiscoveryLoopOptions;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #unsubscribe: () => void = () => undefined;
  /** when a member was last written down */
  readonly #remembered = new Map<PeerId, number>();

  constructor(options: DiscoveryLoopOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, membership, log } = this.#options;
    const { signal } = this.#stop;
    const failed = (thrown: unknown) => {
      if (!signal.aborted) log.warn('discovery failed', { reason: toTabmeshError(thrown).message });
    };
    const soon = coalesce(() => void this.#look().catch(failed), LOOK_AGAIN_MS, clock, signal);
    this.#unsubscribe = membership.subscribe(({ type, link }) => {
      if (type === 'opened') soon.soon();
      else this.#remembered.delete(link.member.peer);
    });
    this.#run().catch(failed);
  }

  /** Publishes and looks now instead of with the next heartbeat: a way to find peers has come, or a person asked. */
  again(): void {
    this.#wake.abort();
  }

  stop(): void {
    this.#unsubscribe();
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { clock, coordinator, own } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      const record = own();
      if (record !== undefined) this.#report((await coordinator.register(record, signal, PUBLIC)).failures);
      await this.#look();
      await coordinator.cleanupIfDue(signal);
      await clock
        .sleep(HEARTBEAT_MS, AbortSignal.any([signal, this.#wake.signal]))
        .catch(() => signal.throwIfAborted());
      this.#wake = new AbortController();
    }
  }

  async #look(): Promise<void> {
    const { coordinator, dialer, membership } = this.#options;
    const { peers, failures } = await coordinator.discover({}, this.#stop.signal);
    this.#report(failures);
    dialer.offer(peers);
    for (const record of peers) if (membership.linkTo(record.peer) !== undefined) await this.#remember(record);
  }

  /** A member that is linked is worth trying again after a restart. Written down once a heartbeat: it costs a disk write. */
  async #remember(record: PeerRecord): Promise<void> {
    const { coordinator, clock } = this.#options;
    const now = clock.now();
    if (now - (this.#remembered.get(record.peer) ?? -Infinity) < HEARTBEAT_MS) return;
    this.#remembered.set(record.peer, now);
    this.#report((await coordinator.register({ ...record, lastSeen: now }, this.#stop.signal, MEMORY)).failures);
  }

  #report(failures: Awaited<ReturnType<DiscoveryCoordinator['register']>>['failures']): void {
    for (const { source, error } of failures) {
      if (error.code !== 'cancelled') this.#options.log.info('source failed', { source, reason: error.message });
    }
  }
}
