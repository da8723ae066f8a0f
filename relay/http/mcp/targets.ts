import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { RoomGateway } from '../../rooms.ts';
import { createCompactFront } from './compact-front.ts';
import { TARGET_IDLE_MS, TARGET_SWEEP_MS } from './limits.ts';
import { createPeerFront } from './peer-front.ts';
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
  readonly tasks: TaskHost;
  readonly clock: Clock;
  readonly log: Log;
}

/** The addresses that are in use, each made when it is first asked for and forgotten when nobody uses it. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #targets = new Map<string, Target>();
  readonly #stop = new AbortController();

  constructor(options: TargetsOptions) {
    this.#options = options;
    this.#sweeping().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) options.log.error('unused mcp addresses stay', { error: String(error) });
    });
  }

  /** @throws `not_found` for a peer that is not here */
  at(gateway: RoomGateway, { peer, compact }: Address): Target {
    const { mcp, room } = gateway;
    if (peer !== null && peer !== mcp.self().peer && !mcp.peers().includes(peer)) {
      throw new TabmeshError('not_found', 'there is no such peer here now', { hint: 'list_peers shows who is here.' });
    }
    const key = `${room} ${peer ?? ''} ${compact ? 'compact' : ''}`;
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const made = this.#make(key, gateway, { peer, compact });
    this.#targets.set(key, made);
    return made;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    await Promise.allSettled(targets.map((target) => target.close()));
  }

  #make(key: string, gateway: RoomGateway, { peer, compact }: Address): Target {
    const { clock, log } = this.#options;
    const front = peer === null ? createRoomFront({ gateway, clock, log }) : createPeerFront(gateway.mcp, peer);
    return new Target({ ...this.#options, key, gateway, front: compact ? createCompactFront(front) : front });
  }

  async #sweeping(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(TARGET_SWEEP_MS, this.#stop.signal);
      for (const [key, target] of this.#targets) {
        if (clock.now() - target.idleSince < TARGET_IDLE_MS) continue;
        this.#targets.delete(key);
        await target.close();
      }
    }
  }
}
