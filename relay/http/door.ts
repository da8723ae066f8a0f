import type { Clock } from '../../src/lib/clock.ts';
import { createKeyedBuckets, type Rate } from '../keyed-buckets.ts';

/** How many WebSocket connections the relay lets in. */
export interface DoorLimits {
  /** of new ones, by address */
  readonly rate: Rate;
  readonly perAddress: number;
  readonly total: number;
}

export const DOOR_LIMITS: DoorLimits = {
  // a lab or a school behind one address opens its tabs at once; a tab needs two connections
  rate: { burst: 100, perSecond: 20 },
  perAddress: 512,
  // what the libp2p node behind accepts
  total: 4_000,
};

/**
 * Limits connections by remote address. The libp2p listener behind it sees every connection come from loopback, so it
 * cannot tell one busy address from many quiet ones.
 */
export interface Door {
  /** @returns gives the place back; undefined when the address is over a limit */
  enter(address: string): (() => void) | undefined;
}

/** Makes a {@link Door}. */
export function createDoor(limits: DoorLimits, clock: Clock): Door {
  const buckets = createKeyedBuckets(limits.rate, clock);
  const inside = new Map<string, number>();
  let total = 0;
  return {
    enter(address) {
      const mine = inside.get(address) ?? 0;
      if (total >= limits.total || mine >= limits.perAddress || !buckets.take(address)) return undefined;
      total++;
      inside.set(address, mine + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        total--;
        const rest = (inside.get(address) ?? 1) - 1;
        if (rest === 0) inside.delete(address);
        else inside.set(address, rest);
      };
    },
  };
}
