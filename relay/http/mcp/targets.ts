import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId, RoomId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { RoomGateway } from '../../rooms.ts';
import { createCompactFront } from './compact-front.ts';
import { TARGET_IDLE_MS, TARGET_SWEEP_MS } from './limits.ts';
import { createPeerFront } from './peer-front.ts';
import type { Pins } from './pins.ts';
import { createRoomFront } from './room-front.ts';
import { Target } from './target.ts';
import type { TaskHost } from './tasks.ts';

/** What a client has asked for by the address that it uses. */
export interface Address {
  /** one peer by itself; null: the whole room */
  readonly peer: PeerId | null;
  /** four meta-tools instead of all */
  readonly compact: boolean;
}

export interface TargetsOptions {
  readonly pinsOf: (room: RoomId) => Promise<Pins>;
  readonly tasks: TaskHost;
  readonly clock: Clock;
  readonly log: Log;
}

/** The addresses that are in use, each made when it is first asked for and forgotten when nobody uses it. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #targets = new Map<string, Promise<Target>>();
  readonly #stop = new AbortController();

  constructor(options: TargetsOptions) {
    this.#options = options;
    this.#sweeping().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) options.log.error('unused mcp addresses stay', { error: String(error) });
    });
  }

  /** @throws `not_found` for a peer that is not here */
  async at(gateway: RoomGateway, { peer, compact }: Address): Promise<Target> {
    const { mcp, room } = gateway;
    if (peer !== null && peer !== mcp.self().peer && !mcp.peers().includes(peer)) {
      throw new TabmeshError('not_found', 'there is no such peer here now', { hint: 'list_peers shows who is here.' });
    }
    const key = `${room} ${peer ?? ''} ${compact ? 'compact' : ''}`;
    const known = this.#targets.get(key);
    if (known !== undefined) return await known;
    const making = this.#make(key, gateway, { peer, compact });
    this.#targets.set(key, making);
    making.catch(() => this.#targets.delete(key));
    return await making;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    await Promise.allSettled(targets.map(async (target) => (await target).close()));
  }

  async #make(key: string, gateway: RoomGateway, { peer, compact }: Address): Promise<Target> {
    const { pinsOf, clock, log } = this.#options;
    const front =
      peer === null
        ? createRoomFront({ gateway, pins: await pinsOf(gateway.room), clock, log })
        : createPeerFront(gateway.mcp, peer);
    return new Target({ ...this.#options, key, gateway, front: compact ? createCompactFront(front) : front });
  }

  async #sweeping(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(TARGET_SWEEP_MS, this.#stop.signal);
      for (const [key, making] of this.#targets) {
        const target = await making.catch(() => null);
        if (target === null || clock.now() - target.idleSince < TARGET_IDLE_MS) continue;
        this.#targets.delete(key);
        await target.close();
      }
    }
  }
}
