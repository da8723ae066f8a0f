import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decode, encode } from '@ipld/dag-cbor';
import { systemClock } from '../../../src/lib/clock.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { loadDeviceKey } from '../../../src/mesh/identity/device-key.ts';
import type { RoomSecret } from '../../../src/mesh/identity/room-secret.ts';
import { createRoomSecret } from '../../../src/mesh/identity/room-secret.ts';
import { RoomEpochs } from '../../../src/mesh/roster/room-epochs.ts';
import { supersedes, verifyRoster } from '../../../src/mesh/roster/roster.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';

const newDevice = () => loadDeviceKey({ store: createMemoryStore(), lock: createProcessLock() });
const NOBODY: ReadonlySet<DeviceId> = new Set();

let maker: DeviceKey;
let ann: DeviceKey;
let bob: DeviceKey;
let room: ReturnType<typeof createRoomSecret>;
beforeAll(async () => {
  [maker, ann, bob] = await Promise.all([newDevice(), newDevice(), newDevice()]);
  room = createRoomSecret(maker.id);
});

async function open(deviceKey: DeviceKey, store = createMemoryStore(), secret: RoomSecret = room) {
  const remembered: { secret: RoomSecret } = { secret };
  const epochs = await RoomEpochs.open({
    origin: room.origin,
    deviceKey,
    secret,
    store,
    remember: (next) => {
      remembered.secret = next;
      return Promise.resolve();
    },
    clock: systemClock,
    log: silentLog,
  });
  return { epochs, store, remembered };
}

describe('an epoch', () => {
  it('is passed from the maker to a listed device, and from there on', async () => {
    const [m, a, b] = [await open(maker), await open(ann), await open(bob)];
    const before = m.epochs.keys.rendezvous;
    await m.epochs.rotate([maker.id, ann.id, bob.id], NOBODY);
    expect(await a.epochs.accept(m.epochs.grant(ann.id))).toBe(true);
    expect(await b.epochs.accept(a.epochs.grant(bob.id))).toBe(true);
    expect(b.epochs.secret).toEqual(m.epochs.secret);
    expect(b.epochs.secret.secret).not.toEqual(room.secret);
    expect(b.remembered.secret).toEqual(m.epochs.secret);
    expect(b.epochs.pastTopics).toEqual([before]);
    expect(await b.epochs.accept(m.epochs.grant(bob.id))).toBe(false);
  });

  it('is not given to a device that is not listed, or blocked', async () => {
    const m = await open(maker);
    await m.epochs.rotate([ann.id, bob.id], new Set([bob.id]));
    expect(() => m.epochs.grant(bob.id)).toThrow(expect.objectContaining({ code: 'not_a_member' }));
    const stranger = await newDevice();
    expect(() => m.epochs.grant(stranger.id)).toThrow(expect.objectContaining({ code: 'not_a_member' }));
    expect(m.epochs.admits(bob.id)).toBe(false);
    // listed is who joined before; whoever shows the new secret has been invited since
    expect(m.epochs.admits(stranger.id)).toBe(true);
    expect(m.epochs.grant(ann.id).secret).toEqual(m.epochs.secret.secret);
  });

  it('takes its list to who was invited since, and not to who is blocked', async () => {
    const [m, a] = [await open(maker), await open(ann)];
    await m.epochs.rotate([], new Set([bob.id]));
    const newcomer = await open(ann, createMemoryStore(), m.epochs.secret);
    expect(() => m.epochs.grant(ann.id)).toThrow(expect.objectContaining({ code: 'not_a_member' }));
    const grant = m.epochs.grant(ann.id, true);
    expect(await newcomer.epochs.accept(grant)).toBe(true);
    expect(newcomer.epochs.admits(bob.id)).toBe(false);
    expect(() => m.epochs.grant(bob.id, true)).toThrow(expect.objectContaining({ code: 'not_a_member' }));
    // with the old secret that grant is for somebody else
    await expect(a.epochs.accept(grant)).rejects.toMatchObject({ code: 'not_a_member' });
  });

  it('is there again after a restart, also after a crash between its two writes', async () => {
    const m = await open(maker);
    await m.epochs.rotate([], NOBODY);
    const again = await open(maker, m.store, room);
    expect(again.epochs.secret).toEqual(m.epochs.secret);
    expect(again.remembered.secret).toEqual(m.epochs.secret);
    expect(again.epochs.pastTopics).toEqual(m.epochs.pastTopics);
  });

  it('of a new invite takes the place of an older one that is stored', async () => {
    const m = await open(maker);
    const a = await open(ann);
    await m.epochs.rotate([ann.id], NOBODY);
    await a.epochs.accept(m.epochs.grant(ann.id));
    await m.epochs.rotate([], new Set([ann.id]));
    const invited = await open(ann, a.store, m.epochs.secret);
    expect(invited.epochs.secret).toEqual(m.epochs.secret);
    expect(invited.epochs.roster).toBeNull();
  });

  it('is written by a newer version only once this one is updated', async () => {
    const m = await open(maker);
    await m.store.put('epochs', { version: 2 });
    await expect(open(maker, m.store)).rejects.toMatchObject({ code: 'format_newer' });
    expect(await m.store.get('epochs')).toEqual({ version: 2 });
  });

  it('is begun by owners alone', async () => {
    const a = await open(ann);
    await expect(a.epochs.rotate([], NOBODY)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(a.epochs.appoint(ann.id, [])).rejects.toMatchObject({ code: 'forbidden' });
    const m = await open(maker);
    await m.epochs.appoint(ann.id, []);
    expect(m.epochs.secret).toEqual(room);
    expect(await a.epochs.accept(m.epochs.grant(ann.id))).toBe(true);
    await a.epochs.rotate([], NOBODY);
    expect(await m.epochs.accept(a.epochs.grant(maker.id))).toBe(true);
    expect(m.epochs.owners).toEqual([maker.id, ann.id]);
    await expect(a.epochs.appoint(bob.id, [])).rejects.toMatchObject({ code: 'forbidden' });
    await expect(a.epochs.rotate([], new Set([maker.id]))).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(a.epochs.rotate([], new Set([ann.id]))).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('of an owner who was put out is void, however high it counts', async () => {
    const [m, a, b] = [await open(maker), await open(ann), await open(bob)];
    await m.epochs.appoint(ann.id, [bob.id]);
    await a.epochs.accept(m.epochs.grant(ann.id));
    await b.epochs.accept(m.epochs.grant(bob.id));
    await m.epochs.rotate([], new Set([ann.id]));
    await b.epochs.accept(m.epochs.grant(bob.id));
    for (let i = 0; i < 5; i++) await a.epochs.rotate([bob.id], NOBODY);
    expect(await b.epochs.accept(a.epochs.grant(bob.id))).toBe(false);
    expect(b.epochs.secret).toEqual(m.epochs.secret);
  });

  it('that two owners begin at once ends as the same everywhere', async () => {
    const [m, a] = [await open(maker), await open(ann)];
    await m.epochs.appoint(ann.id, [bob.id]);
    await a.epochs.accept(m.epochs.grant(ann.id));
    await Promise.all([m.epochs.rotate([bob.id], NOBODY), a.epochs.rotate([bob.id], NOBODY)]);
    const [fromMaker, fromAnn] = [m.epochs.grant(bob.id), a.epochs.grant(bob.id)];
    for (const order of [
      [fromMaker, fromAnn],
      [fromAnn, fromMaker],
    ]) {
      const b = await open(bob);
      for (const grant of order) await b.epochs.accept(grant);
      await m.epochs.accept(fromAnn);
      await a.epochs.accept(fromMaker);
      expect(b.epochs.secret).toEqual(m.epochs.secret);
      expect(b.epochs.secret).toEqual(a.epochs.secret);
    }
  });

  it('with another secret than the one it pins is refused', async () => {
    const [m, a] = [await open(maker), await open(ann)];
    await m.epochs.rotate([ann.id], NOBODY);
    const grant = m.epochs.grant(ann.id);
    const secret = grant.secret.map((byte) => byte ^ 1);
    await expect(a.epochs.accept({ ...grant, secret })).rejects.toMatchObject({ code: 'unauthorized' });
    expect(a.epochs.secret).toEqual(room);
    expect(a.remembered.secret).toEqual(room);
  });
});

describe('a list of members', () => {
  it('changed in any byte is refused', async () => {
    const m = await open(maker);
    await m.epochs.rotate([ann.id], new Set([bob.id]));
    const bytes = m.epochs.signed() ?? new Uint8Array();
    await expect(verifyRoster(bytes, room.origin, room.room)).resolves.toMatchObject({ roster: { epoch: 2 } });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const broken = bytes.slice();
        broken[at] = (broken[at] ?? 0) ^ flip;
        await expect(verifyRoster(broken, room.origin, room.room)).rejects.toMatchObject({ name: 'TabmeshError' });
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (garbage) => {
        await expect(verifyRoster(garbage, room.origin, room.room)).rejects.toMatchObject({ code: 'unauthorized' });
      }),
    );
  });

  it('of another room, or signed by a member for itself, is refused', async () => {
    const m = await open(maker);
    await m.epochs.rotate([ann.id], NOBODY);
    const bytes = m.epochs.signed() ?? new Uint8Array();
    const other = createRoomSecret(maker.id);
    await expect(verifyRoster(bytes, other.origin, other.room)).rejects.toMatchObject({ code: 'unauthorized' });
    // ann owns a room of her own, and calls herself the author here
    const fields: Record<string, unknown> = decode(bytes);
    await expect(verifyRoster(encode({ ...fields, author: ann.id }), room.origin, room.room)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await expect(verifyRoster(encode({ ...fields, version: 2 }), room.origin, room.room)).rejects.toMatchObject({
      code: 'format_newer',
    });
  });

  it('is ordered totally: of two different ones exactly one replaces the other', async () => {
    const m = await open(maker);
    const seen = [];
    for (let i = 0; i < 4; i++) {
      if (i === 2) await m.epochs.appoint(bob.id, []);
      else await m.epochs.rotate([ann.id], NOBODY);
      seen.push(await verifyRoster(m.epochs.signed() ?? new Uint8Array(), room.origin, room.room));
    }
    for (const [i, a] of seen.entries()) {
      for (const [j, b] of seen.entries()) expect(supersedes(a, b)).toBe(i > j);
    }
  });
});
