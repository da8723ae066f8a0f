import { coalesce } from '../../lib/coalesce.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import type { LocalTools } from '../../tools/local-tools.ts';
import type { RoomEntry } from './enter-room.ts';
import type { RoomMetrics } from './room-metrics.ts';
import type { RoomPlatform } from './room-platform.ts';
import type { RunBook } from './run-book.ts';
import { sweepRoom } from './sweep-room.ts';

/**
 * How long a count of served calls may wait to be shown, ms: nobody reads it faster, and drawing every call of thousands a
 * second would cost more than serving it.
 */
const COUNTERS_INTERVAL_MS = 250;

/** How often others are told of this peer's load, battery and links: often enough to route by, a few hundred bytes each. */
const CONDITION_INTERVAL_MS = 10_000;

/** A link that has stood this long is one: a refusal takes a round trip, some of them over a relay. */
const ADMITTED_AFTER_MS = 2_000;

export interface RoomUpkeepOptions {
  readonly platform: RoomPlatform;
  readonly entry: RoomEntry;
  readonly mesh: RoomMesh;
  readonly local: Pick<LocalTools, 'list' | 'counters'>;
  readonly runs: RunBook;
  readonly metrics: Pick<RoomMetrics, 'sample' | 'cleanUp'>;
  /** something that is shown of the room has changed */
  readonly onChange: () => void;
}

/** What goes on by itself while a room is open: others are told of this peer, and what it learns is acted upon. */
export class RoomUpkeep {
  readonly #options: RoomUpkeepOptions;
  readonly #closing = new AbortController();
  readonly #counted: ReturnType<typeof coalesce>;
  readonly #since: number;
  #unsubscribe: readonly (() => void)[] = [];
  /** the segments that the search here has read */
  #indexed: string;
  /** the topic under which this peer is listed */
  #topic: string;
  #swept = Promise.resolve();

  constructor(options: RoomUpkeepOptions) {
    this.#options = options;
    const { platform, entry } = options;
    this.#since = platform.clock.now();
    this.#counted = coalesce(
      () => {
        this.announce();
      },
      COUNTERS_INTERVAL_MS,
      platform.clock,
      this.#closing.signal,
    );
    this.#indexed = this.#segments().join(' ');
    this.#topic = entry.epochs.keys.rendezvous;
  }

  /** Begins, before the mesh does: what it learns first counts. */
  start(): void {
    const { platform, entry, mesh, local, runs, onChange } = this.#options;
    this.#unsubscribe = [
      entry.node.libp2p.services.membership.subscribe(({ type, link }) => {
        if (type === 'opened') void this.#admittedIfItStays(link.member.peer);
      }),
      platform.replica.subscribe(() => {
        this.#followSegments();
        this.#followRelays();
        this.announce();
        onChange();
      }),
      local.counters.subscribe(() => {
        this.#counted.soon();
      }),
      mesh.subscribe(onChange),
      runs.subscribe(onChange),
      entry.epochs.subscribe(() => {
        this.#followRelays();
        onChange();
        this.#followTopic();
      }),
    ];
    this.#tellCondition().catch((thrown: unknown) => {
      if (this.#closing.signal.aborted) return;
      platform.log.error('condition not told', { reason: toTabmeshError(thrown).message });
    });
    this.announce();
  }

  /** The room is open: what nothing lists any more is deleted when its first seconds are over. */
  tidy(): void {
    const { platform, runs } = this.#options;
    this.#swept = sweepRoom({ ...platform, runs }, this.#closing.signal);
  }

  /** Resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    for (const stop of this.#unsubscribe) stop();
    this.#closing.abort();
    await this.#swept;
  }

  /** Tells others what this peer is and does now. */
  announce(): void {
    const { platform, mesh, local } = this.#options;
    const { peer, deviceKey, deviceName, kind, replica } = platform;
    const segments = Object.values(replica.state().devices[deviceKey.id]?.segments ?? {});
    mesh.setPresence({
      peer,
      device: deviceKey.id,
      name: deviceName(),
      kind,
      visible: platform.visible(),
      tools: local.list().map((tool) => tool.name),
      shardRecords: segments.reduce((sum, segment) => sum + segment.count, 0),
      served: local.counters.served(),
      ...platform.condition(),
      links: mesh.links(),
      since: this.#since,
    });
  }

  /** Has counts that wait to be shown be shown now. */
  flushCounts(): void {
    this.#counted.flush();
  }

  /** Writes into the room what this device is, and how its relay is used. */
  tellProfile(): Promise<void> {
    const { replica, deviceName, kind, offer } = this.#options.platform;
    const relay = offer?.() ?? null;
    return replica.setProfile({ name: deviceName(), kind, ...(relay === null ? {} : { relay }) });
  }

  #segments(): string[] {
    const { replica, deviceKey } = this.#options.platform;
    return Object.keys(replica.state().devices[deviceKey.id]?.segments ?? {}).sort();
  }

  /** Another tab of this device may have indexed or deleted something. */
  #followSegments(): void {
    const { search, log } = this.#options.platform;
    const { signal } = this.#closing;
    const now = this.#segments().join(' ');
    if (now === this.#indexed) return;
    this.#indexed = now;
    search.reload(signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn('index not reloaded', { reason: toTabmeshError(error).message });
    });
  }

  #followRelays(): void {
    const { platform, entry, mesh } = this.#options;
    if (!entry.relays.refresh()) return;
    mesh.useRelays(entry.relays.list()).catch((error: unknown) => {
      platform.log.error('relays not changed', { reason: toTabmeshError(error).message });
    });
  }

  #followTopic(): void {
    const { platform, entry, mesh } = this.#options;
    const topic = entry.epochs.keys.rendezvous;
    if (topic === this.#topic) return;
    this.#topic = topic;
    mesh.rejoin().catch((error: unknown) => {
      platform.log.error('relays not told of the new secret', { reason: toTabmeshError(error).message });
    });
  }

  /** Who refuses this device says so a moment after its proof. */
  async #admittedIfItStays(member: PeerId): Promise<void> {
    const { platform, entry, onChange } = this.#options;
    await platform.clock.sleep(ADMITTED_AFTER_MS, this.#closing.signal).catch(() => undefined);
    if (entry.node.libp2p.services.membership.linkTo(member) === undefined) return;
    entry.exchange.admitted();
    onChange();
  }

  async #tellCondition(): Promise<void> {
    const { platform, mesh, metrics } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await platform.clock.sleep(CONDITION_INTERVAL_MS, signal);
      this.announce();
      metrics.sample(mesh.list().length, platform.condition().load);
      metrics.cleanUp();
    }
  }
}
