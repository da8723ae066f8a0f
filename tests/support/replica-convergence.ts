import fc from 'fast-check';
import { expect } from 'vitest';
import type { SignedUpdate } from '../../src/contracts/replica.ts';
import { COMPACT_AT_OPEN_ENTRIES } from '../../src/mesh/replica/limits.ts';
import { createReplica } from '../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../src/mesh/replica/replica.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { newRoom } from './new-room.ts';
import { at, isCalled, lists, signChain, updatesOf } from './replica-author.ts';
import { connect } from './replica-network.ts';
import type { NetworkLink } from './replica-network.ts';
import { datasetSummary, newDevice, testCid } from './replica.ts';

const { room } = newRoom();
const PEERS = 3;
/** More changes than this of one value are mostly compacted when the device opens its room again. */
const BURST = COMPACT_AT_OPEN_ENTRIES + 8;

/** Histories of an author who signs several, of two epochs, whole and in part. */
async function hostileHistories(): Promise<SignedUpdate[][]> {
  const author = await newDevice();
  const one = await signChain(author, room, updatesOf([...lists(1, 2, 3), ...isCalled('one')]));
  const branch = (first: number, name: string) =>
    signChain(author, room, updatesOf([...lists(7, 8), ...isCalled(name)]), { after: at(one, first) });
  const snapshot = (name: string, parts: number) =>
    signChain(author, room, updatesOf([...lists(4, 5), ...isCalled(name)]), { epoch: 2, snapshot: parts });
  return [
    one,
    [...one.slice(0, 2), ...(await branch(1, 'two'))],
    [...one.slice(0, 3), ...(await branch(2, 'three'))],
    await snapshot('snapshot', 3),
    await snapshot('another snapshot', 3),
    // never complete: must not be shown
    await snapshot('too short', 9),
  ];
}

const peer = fc.nat({ max: PEERS - 1 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('put' as const), peer, n: fc.nat({ max: 5 }), v: fc.string() }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), peer, n: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('burst' as const), peer }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('link' as const), peer, other: peer }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('partition' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restart' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('hostile' as const),
      peer,
      history: fc.nat({ max: 5 }),
      from: fc.nat({ max: 2 }),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
);
const fate = fc.record({ delay: fc.nat({ max: 3 }), copies: fc.integer({ min: 1, max: 2 }) });

/**
 * Does things at random with replicas and between them, and expects that all show the same in the end, and of each honest
 * device what it wrote. @param runs how many random histories
 */
export async function expectConvergence(runs: number): Promise<void> {
  const histories = await hostileHistories();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.infiniteStream(fate), async (steps, fates) => {
      const keys = await Promise.all(Array.from({ length: PEERS }, newDevice));
      const stores = keys.map(() => createMemoryStore());
      const open = (index: number) =>
        createReplica({ room, deviceKey: at(keys, index), store: at(stores, index), lock: createProcessLock() });
      const replicas = await Promise.all(keys.map((_, index) => open(index)));
      const model = keys.map(() => new Map<string, string>());
      let links: NetworkLink[] = [];
      const cutAll = () => {
        for (const link of links.splice(0)) link.cut();
      };
      const put = async (index: number, n: number, name: string) => {
        await at(replicas, index).putDataset(datasetSummary(n, name));
        at(model, index).set(testCid(n), name);
      };
      for (const action of steps) {
        switch (action.type) {
          case 'put':
            await put(action.peer, action.n, action.v);
            break;
          case 'remove':
            await at(replicas, action.peer).removeDataset(testCid(action.n));
            at(model, action.peer).delete(testCid(action.n));
            break;
          case 'burst':
            for (let n = 0; n < BURST; n++) await put(action.peer, 0, `version ${n}`);
            break;
          case 'link':
            if (action.peer !== action.other) {
              links.push(connect(at(replicas, action.peer), at(replicas, action.other), () => fates.next().value));
            }
            break;
          case 'partition':
            cutAll();
            break;
          case 'restart':
            cutAll();
            await at(replicas, action.peer).close();
            replicas[action.peer] = await open(action.peer);
            break;
          case 'wait':
            for (const link of links) await link.idle();
            break;
          case 'hostile':
            await at(replicas, action.peer).apply(
              at(histories, action.history).slice(action.from, action.from + action.count),
            );
        }
      }
      cutAll();
      const ring = () => replicas.map((replica, index) => connect(replica, at(replicas, (index + 1) % PEERS)));
      links = ring();
      // what one learns in the last moment still goes around
      for (let round = 0; round < 2 * PEERS; round++) for (const link of links) await link.idle();
      cutAll();

      const [first, ...others] = replicas as [RoomReplica, ...RoomReplica[]];
      for (const other of others) expect(other.state()).toEqual(first.state());
      for (const [index, key] of keys.entries()) {
        const datasets = Object.values(first.state().devices[key.id]?.datasets ?? {});
        expect(new Map(datasets.map(({ data, name }) => [data as string, name]))).toEqual(model[index]);
      }
      expect(JSON.stringify(first.state())).not.toContain('too short');
      await Promise.all(replicas.map((replica) => replica.close()));
      const reopened = await open(0);
      expect(reopened.state()).toEqual(first.state());
      await reopened.close();
    }),
    { numRuns: runs },
  );
}
