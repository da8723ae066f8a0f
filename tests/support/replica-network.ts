import type { RoomReplica } from '../../src/mesh/replica/replica.ts';
import { createReplicaSync } from '../../src/mesh/replica/sync.ts';
import type { SyncSession } from '../../src/mesh/replica/sync.ts';
import { settle } from './manual-clock.ts';

/** What a network does to a message: `delay` turns of the loop, and how often it arrives. */
export interface Fate {
  readonly delay: number;
  readonly copies: number;
}

/** Two replicas in sync over a network. */
export interface NetworkLink {
  /** resolves when nothing is under way in either direction */
  idle(): Promise<void>;
  cut(): void;
}

/** Connects two replicas; without `fate` in order, at once and once. A session that fails ends the link, as a stream does. */
export function connect(
  a: RoomReplica,
  b: RoomReplica,
  fate: () => Fate = () => ({ delay: 0, copies: 1 }),
): NetworkLink {
  let up = true;
  let underWay = 0;
  const sessions: { a?: SyncSession; b?: SyncSession } = {};
  const cut = () => {
    up = false;
    sessions.a?.close();
    sessions.b?.close();
  };
  const deliver = async (target: () => SyncSession | undefined, bytes: Uint8Array) => {
    const { delay, copies } = fate();
    underWay++;
    for (let turn = 0; turn <= delay; turn++) await settle();
    try {
      for (let n = 0; n < copies && up; n++) await target()?.receive(bytes.slice());
    } catch {
      cut();
    } finally {
      underWay--;
    }
  };
  const pipe = (target: () => SyncSession | undefined) => (bytes: Uint8Array) => {
    void deliver(target, bytes);
    return Promise.resolve();
  };
  sessions.a = createReplicaSync({ replica: a })(pipe(() => sessions.b));
  sessions.b = createReplicaSync({ replica: b })(pipe(() => sessions.a));
  return {
    cut,
    idle: async () => {
      // quiet for several turns of the loop: nothing was sent, and nobody is about to
      for (let quiet = 0; quiet < 8; quiet = underWay === 0 ? quiet + 1 : 0) await settle();
    },
  };
}
