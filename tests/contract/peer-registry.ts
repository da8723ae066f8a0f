import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PeerRecord, PeerRegistry } from '../../src/contracts/discovery.ts';
import { settle, type ManualClock } from '../support/manual-clock.ts';
import { addressOf, never, PEERS, peerRecord } from '../support/peer-records.ts';

export interface RegistrySubject {
  readonly registry: PeerRegistry;
  readonly clock: ManualClock;
  /** has the source hear of a peer; by `register` where it takes records */
  add(record: PeerRecord): Promise<unknown>;
  dispose?(): Promise<void> | void;
}

const ANY = { capabilities: [], maxPeers: 50 };

/** What every {@link PeerRegistry} does, however it hears of peers. */
export function peerRegistryContract(
  name: string,
  make: () => Promise<RegistrySubject>,
  { takesRecords }: { readonly takesRecords: boolean },
): void {
  describe(`PeerRegistry contract: ${name}`, () => {
    let subject: RegistrySubject;
    let registry: PeerRegistry;
    const [a, b, c] = PEERS;
    const now = () => subject.clock.now();
    const found = async (capabilities: readonly string[] = [], maxPeers = 50) => {
      const { value, error } = await registry.discover({ capabilities, maxPeers }, never());
      expect(error).toBeNull();
      return value.map(({ peer }) => peer);
    };

    beforeEach(async () => {
      subject = await make();
      ({ registry } = subject);
    });
    afterEach(() => subject.dispose?.());

    it('is available, and knows nobody at first', async () => {
      expect(registry.available()).toBe(true);
      expect(await registry.discover(ANY, never())).toEqual({ value: [], error: null });
    });

    it('gives a record back whole, under its own name', async () => {
      const record = peerRecord(a, now(), { metadata: {}, ttlSeconds: 600 });
      await subject.add(record);
      const { value } = await registry.discover(ANY, never());
      expect(value).toEqual([{ ...record, source: registry.name }]);
    });

    it('PD4 discover returns unexpired only', async () => {
      await subject.add(peerRecord(a, now(), { ttlSeconds: 10 }));
      await subject.add(peerRecord(b, now(), { ttlSeconds: 100 }));
      await subject.clock.advance(10_001);
      expect(await found()).toEqual([b]);
    });

    it('PD5 expiry is strict: age = ttl is still valid', async () => {
      await subject.add(peerRecord(a, now(), { ttlSeconds: 10 }));
      await subject.clock.advance(10_000);
      expect(await found()).toEqual([a]);
      await subject.clock.advance(1);
      expect(await found()).toEqual([]);
    });

    it('PD6 the capability filter needs all capabilities', async () => {
      await subject.add(peerRecord(a, now(), { capabilities: ['x', 'y'] }));
      await subject.add(peerRecord(b, now(), { capabilities: ['x'] }));
      expect(await found(['x', 'y'])).toEqual([a]);
      expect(await found(['x', 'z'])).toEqual([]);
    });

    it('PD7 an empty filter is no filter', async () => {
      await subject.add(peerRecord(a, now(), { capabilities: [] }));
      await subject.add(peerRecord(b, now(), { capabilities: ['x'] }));
      expect((await found([])).toSorted()).toEqual([a, b]);
    });

    it('PD8 max_peers is respected, the most recently seen first', async () => {
      await subject.add(peerRecord(a, now() - 3000));
      await subject.add(peerRecord(b, now() - 1000));
      await subject.add(peerRecord(c, now() - 2000));
      expect(await found([], 2)).toEqual([b, c]);
      expect(await found([], 0)).toEqual([]);
    });

    it('PD9 update refreshes last_seen only; an unknown id is false', async () => {
      const record = peerRecord(a, now());
      await subject.add(record);
      await subject.clock.advance(5000);
      expect(await registry.update(a, never())).toEqual({ value: true, error: null });
      expect(await registry.update(b, never())).toEqual({ value: false, error: null });
      const { value } = await registry.discover(ANY, never());
      expect(value).toEqual([{ ...record, lastSeen: now(), source: registry.name }]);
    });

    it('PD10 cleanup removes the expired and returns their number', async () => {
      await subject.add(peerRecord(a, now(), { ttlSeconds: 10 }));
      await subject.add(peerRecord(b, now(), { ttlSeconds: 10 }));
      await subject.add(peerRecord(c, now(), { ttlSeconds: 100 }));
      await registry.discover(ANY, never());
      await subject.clock.advance(20_000);
      expect(await registry.cleanup(never())).toEqual({ value: 2, error: null });
      expect(await registry.cleanup(never())).toEqual({ value: 0, error: null });
      expect(await found()).toEqual([c]);
    });

    if (takesRecords)
      it('PD3 registering again updates addresses and capabilities, and keeps first_seen', async () => {
        const first = now();
        await registry.register(peerRecord(a, first), never());
        await subject.clock.advance(5000);
        const changed = peerRecord(a, now(), { multiaddrs: [addressOf(a, 4002)], capabilities: ['echo'] });
        expect(await registry.register(changed, never())).toEqual({ value: true, error: null });
        const { value } = await registry.discover(ANY, never());
        expect(value).toEqual([{ ...changed, firstSeen: first, source: registry.name }]);
      });
    else
      it('takes no records, and says so', async () => {
        expect(await registry.register(peerRecord(a, now()), never())).toEqual({ value: false, error: null });
        await settle();
        expect(await found()).toEqual([]);
      });
  });
}
