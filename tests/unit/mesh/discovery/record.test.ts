import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerRecord } from '../../../../src/contracts/discovery.ts';
import { decodePeers, encodePeers } from '../../../../src/mesh/discovery/gossip-messages.ts';
import { mergeRecords } from '../../../../src/mesh/discovery/merge.ts';
import { isExpired, recordFromPlain, recordToPlain } from '../../../../src/mesh/discovery/record.ts';
import { currentSeal, roomSeal } from '../../../../src/mesh/discovery/seal.ts';
import { addressOf, PEERS, peerRecord } from '../../../support/peer-records.ts';
import { ROOM_SECRET } from '../../../support/room-secret.ts';

const NOW = 1_700_000_000_000;
const [a, b] = PEERS;

const records = fc
  .record({
    peer: fc.constantFrom(...PEERS),
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 8 }),
    capabilities: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 5 }),
    seen: fc.integer({ min: 0, max: NOW }),
    first: fc.integer({ min: 0, max: NOW }),
    ttlSeconds: fc.integer({ min: 1, max: 10_000 }),
    source: fc.constantFrom('github', 'gossip', 'local_file', 'manual'),
    metadata: fc.dictionary(fc.string({ maxLength: 10 }), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  })
  .map(({ peer, ports, seen, first, ...same }) => ({
    ...same,
    metadata: { ...same.metadata },
    peer,
    multiaddrs: ports.map((port) => addressOf(peer, port)),
    lastSeen: seen,
    firstSeen: first,
  }));

describe('a peer record', () => {
  it('comes back from its stored form as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(recordFromPlain(JSON.parse(JSON.stringify(recordToPlain(record))))).toEqual(record);
      }),
    );
  });

  it.each([
    ['an unknown key', { colour: 'red' }],
    ['an address of another peer', { multiaddrs: [addressOf(b)] }],
    ['no address', { multiaddrs: [] }],
    ['too many addresses', { multiaddrs: Array.from({ length: 9 }, (_, n) => addressOf(a, n + 1)) }],
    ['too many capabilities', { capabilities: Array.from({ length: 513 }, (_, n) => String(n)) }],
    ['a time that is none', { last_seen: 'today' }],
    ['no lifetime', { ttl_seconds: 0 }],
    ['an unknown source', { source: 'rumour' }],
    ['long metadata', { metadata: { text: 'x'.repeat(5000) } }],
  ])('with %s is refused', (_, change) => {
    const plain = { ...recordToPlain(peerRecord(a, NOW)), ...change };
    expect(() => recordFromPlain(plain)).toThrow(expect.objectContaining({ code: 'corrupt' }) as Error);
  });

  it('is refused without one of its keys', () => {
    for (const key of Object.keys(recordToPlain(peerRecord(a, NOW)))) {
      const { [key]: _, ...rest } = { ...recordToPlain(peerRecord(a, NOW)) } as Record<string, unknown>;
      expect(() => recordFromPlain(rest)).toThrow();
    }
  });

  it('PI3 with a TTL of 1 s is fresh, and expired 1.1 s later', () => {
    const record = peerRecord(a, NOW, { ttlSeconds: 1 });
    expect(isExpired(record, NOW)).toBe(false);
    expect(isExpired(record, NOW + 1100)).toBe(true);
  });
});

describe('merging', () => {
  it('loses no peer and no time, in whatever order the copies come', () => {
    const copies = fc.array(
      records.map((record) => ({ from: record.source, record })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(copies, (all) => {
        const merged = mergeRecords(all);
        expect(new Set(merged.map(({ peer }) => peer))).toEqual(new Set(all.map(({ record }) => record.peer)));
        for (const one of merged) {
          const same = all.map(({ record }) => record).filter(({ peer }) => peer === one.peer);
          expect(one.lastSeen).toBe(Math.max(...same.map(({ lastSeen }) => lastSeen)));
          expect(one.firstSeen).toBe(Math.min(...same.map(({ firstSeen }) => firstSeen)));
          expect(new Set(one.multiaddrs).size).toBe(one.multiaddrs.length);
          expect(one.multiaddrs.length).toBeLessThanOrEqual(8);
        }
        const times = (list: readonly PeerRecord[]) =>
          list.map(({ peer, firstSeen, lastSeen }) => [peer, firstSeen, lastSeen]).toSorted();
        expect(times(mergeRecords(all.toReversed()))).toEqual(times(merged));
      }),
    );
  });
});

describe('gossip', () => {
  it('tells ages, so that the clocks of two devices need not agree', () => {
    const told = encodePeers([peerRecord(a, NOW - 5000, { firstSeen: NOW - 9000 })], NOW);
    const [heard] = decodePeers(JSON.parse(JSON.stringify(told)), NOW + 1_000_000);
    expect(heard).toMatchObject({ peer: a, source: 'gossip', lastSeen: NOW + 995_000, firstSeen: NOW + 991_000 });
  });

  it('leaves out what is broken and keeps the rest', () => {
    const { peers } = encodePeers([peerRecord(a, NOW), peerRecord(b, NOW)], NOW) as { peers: object[] };
    const lies = [{ ...peers[0], last_seen_ago: -5 }, { ...peers[0], multiaddrs: [addressOf(b)] }, null, 'x', {}];
    expect(decodePeers({ peers: [...lies, peers[1]] }, NOW).map(({ peer }) => peer)).toEqual([b]);
  });

  it('refuses an answer that is something else, or too long', () => {
    const long = Array.from({ length: 251 }, () => ({}));
    for (const answer of [null, 7, {}, { peers: 'all' }, { peers: long }]) {
      expect(() => decodePeers(answer, NOW)).toThrow(expect.objectContaining({ code: 'protocol_error' }) as Error);
    }
  });
});

describe('the seal of a room', () => {
  const seal = roomSeal(ROOM_SECRET);

  it('opens what it has sealed, for the same thing only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 3000 }), async (text) => {
        const trimmed = text.trimEnd();
        expect(await seal.open(await seal.seal(trimmed, 'a'), 'a')).toBe(trimmed);
      }),
      { numRuns: 20 },
    );
    const sealed = await seal.seal('text', 'a');
    await expect(seal.open(sealed, 'b')).rejects.toMatchObject({ code: 'corrupt' });
    await expect(seal.open(`${sealed.slice(0, -4)}AAAA`, 'a')).rejects.toMatchObject({ code: 'corrupt' });
    await expect(seal.open('not even base64 ☃', 'a')).rejects.toMatchObject({ code: 'corrupt' });
    expect((await seal.seal('x', 'a')).length).toBe((await seal.seal('x'.repeat(1000), 'a')).length);
  });

  it('is of the present epoch, for what is sealed and for names', async () => {
    let epoch = 1;
    const now = currentSeal(() => ({ ...ROOM_SECRET, epoch }));
    const [name, sealed] = [now.name('room'), await now.seal('text', 'a')];
    expect(await now.open(sealed, 'a')).toBe('text');
    epoch = 2;
    expect(now.name('room')).not.toBe(name);
    await expect(now.open(sealed, 'a')).rejects.toMatchObject({ code: 'corrupt' });
  });
});
