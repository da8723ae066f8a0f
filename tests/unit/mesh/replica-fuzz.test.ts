import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES } from '../../../src/mesh/replica/limits.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import { decodeSyncMessage, encodeSyncMessage } from '../../../src/mesh/replica/sync-messages.ts';
import { createReplicaSync } from '../../../src/mesh/replica/sync.ts';
import { readUpdate } from '../../../src/mesh/replica/yjs-update.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { newRoom } from '../../support/new-room.ts';
import { at, lists, signChain, updatesOf } from '../../support/replica-author.ts';
import { connect } from '../../support/replica-network.ts';
import { datasetSummary, newDevice } from '../../support/replica.ts';

const { room } = newRoom();
const open = async () =>
  createReplica({ room, deviceKey: await newDevice(), store: createMemoryStore(), lock: createProcessLock() });

/** Good messages with bytes changed, cut, repeated or put between each other. */
async function mutations(): Promise<fc.Arbitrary<Uint8Array>> {
  const author = await newDevice();
  const entries = await signChain(author, room, updatesOf(lists(1, 2, 3)));
  const { id } = author;
  const good = [
    encodeSyncMessage({ type: 'entries', entries }),
    encodeSyncMessage({ type: 'entries', entries: entries.slice(1) }),
    encodeSyncMessage({ type: 'heads', heads: { [id]: { epoch: 1, seq: 2, hash: new Uint8Array(32), fork: 7 } } }),
    encodeSyncMessage({ type: 'heads', heads: {} }),
  ];
  const message = fc.constantFrom(...good);
  const change = fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) });
  return fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(message, fc.array(change, { minLength: 1, maxLength: 4 })).map(([bytes, changes]) => {
      const changed = bytes.slice();
      for (const { at: index, byte } of changes) changed[index % changed.length] = byte;
      return changed;
    }),
    fc.tuple(message, fc.nat()).map(([bytes, length]) => bytes.slice(0, length % bytes.length)),
    fc.tuple(message, message).map(([a, b]) => Uint8Array.from([...a, ...b])),
    fc.tuple(message, message, fc.nat()).map(([a, b, cut]) => {
      const middle = cut % a.length;
      return Uint8Array.from([...a.subarray(0, middle), ...b, ...a.subarray(middle)]);
    }),
    message,
  );
}

describe('whatever a peer sends', () => {
  it('is a message within its bounds or refused as breaking the protocol', async () => {
    fc.assert(
      fc.property(await mutations(), (bytes) => {
        try {
          const message = decodeSyncMessage(bytes);
          if (message.type === 'entries') expect(message.entries.length).toBeLessThanOrEqual(MAX_BATCH_ENTRIES);
        } catch (error) {
          expect(error).toBeInstanceOf(TabmeshError);
          expect(error).toMatchObject({ code: 'protocol_error' });
        }
      }),
      { numRuns: 3000 },
    );
    const oversized = new Uint8Array(MAX_MESSAGE_BYTES + 1);
    expect(() => decodeSyncMessage(oversized)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    // claims of length, and nesting, in what is not too large
    for (const head of [0x9b, 0xbb, 0x5b, 0x7b]) {
      const claim = Uint8Array.of(head, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1);
      expect(() => decodeSyncMessage(claim)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    }
    const deep = new Uint8Array(MAX_MESSAGE_BYTES).fill(0x81);
    expect(() => decodeSyncMessage(deep)).toThrow(expect.objectContaining({ code: 'protocol_error' }));
  });

  it('leaves the replica and the honest neighbour as they should be', async () => {
    const [victim, neighbour] = [await open(), await open()];
    const link = connect(victim, neighbour);
    let written = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(await mutations(), { minLength: 1, maxLength: 12 }), async (messages) => {
        const session = createReplicaSync({ replica: victim })(() => Promise.resolve());
        // sent without waiting, as one would who means harm
        const outcomes = await Promise.allSettled(messages.map((bytes) => session.receive(bytes)));
        const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
        for (const { reason } of failures) expect(reason).toMatchObject({ code: 'protocol_error' });
        // once it has failed nothing is taken on it any more
        const first = outcomes.findIndex(({ status }) => status === 'rejected');
        if (first >= 0) {
          const before = victim.heads();
          await session.receive(encodeSyncMessage({ type: 'heads', heads: {} }));
          expect(victim.heads()).toEqual(before);
        }
        session.close();
        await neighbour.putDataset(datasetSummary(written++ % 8, `version ${written}`));
      }),
      { numRuns: 150 },
    );
    await link.idle();
    expect(victim.state()).toEqual(neighbour.state());
    // one author that is good, and the neighbour itself
    expect(Object.keys(victim.state().devices).length).toBeLessThanOrEqual(2);
    link.cut();
    await Promise.all([victim.close(), neighbour.close()]);
  });

  it('in an update is read without end, error or growth', () => {
    const update = at(updatesOf(lists(1)), 0);
    const mutated = fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([index, byte]) => {
      const changed = update.slice();
      changed[index % changed.length] = byte;
      return changed;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (bytes) => {
        const read = readUpdate(bytes);
        if (read !== undefined) expect(read.structs.length + read.deletions).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});
