import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { base64url } from 'multiformats/bases/base64';
import { describe, expect, it } from 'vitest';
import type { Invite } from '../../../src/contracts/mesh.ts';
import { encodeInvite, parseInvite, previewInvite } from '../../../src/mesh/identity/invite.ts';
import { deriveRoomKeys, roomIdToBytes } from '../../../src/mesh/identity/room-secret.ts';
import { newRoom } from '../../support/new-room.ts';
import { createRoomsStore } from '../../../src/mesh/identity/rooms-store.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';

const RELAY = '/dns4/relay.example.org/tcp/443/wss/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8';

function newInvite(change: Partial<Invite> = {}): Invite {
  return { version: 2, ...newRoom(), roomName: 'Sleep & memory 🌙', relays: [RELAY], access: {}, ...change };
}

const RELAY_ID = RELAY.slice(RELAY.lastIndexOf('/') + 1);

/** as an app of before owners and access keys wrote them */
const oldFieldsOf = (invite: Invite) => ({
  v: 1,
  room: roomIdToBytes(invite.room),
  epoch: invite.epoch,
  secret: invite.secret,
  name: invite.roomName,
  relays: [...invite.relays],
});

const fieldsOf = (invite: Invite) => ({ ...oldFieldsOf(invite), v: 2, origin: invite.origin, access: invite.access });

const linkOf = (fields: object) => `#join=${base64url.baseEncode(encode(fields))}`;

describe('invite', () => {
  it('is read from a link, its fragment, or its code, with space around', () => {
    const invite = newInvite();
    const fragment = encodeInvite(invite);
    expect(fragment).toMatch(/^#join=[A-Za-z0-9_-]+$/);
    const forms = [
      fragment,
      fragment.slice(1),
      fragment.slice('#join='.length),
      `https://app.example/?x=1${fragment}`,
      ` ${fragment}\n`,
    ];
    for (const text of forms) expect(parseInvite(text)).toEqual(invite);
  });

  it('comes back as it was, for any room', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }),
        fc.integer({ min: 1, max: 1e9 }),
        fc.subarray([RELAY]),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (roomName, epoch, relays, key) => {
          const access = Object.fromEntries(relays.map(() => [RELAY_ID, key]));
          const invite = newInvite({ roomName, epoch, relays, access });
          expect(parseInvite(encodeInvite(invite))).toEqual(invite);
        },
      ),
    );
  });

  it('cut short anywhere it is refused, in words that help and without its secret', () => {
    const fragment = encodeInvite(newInvite());
    for (let cut = 0; cut < fragment.length; cut++) {
      expect(() => parseInvite(fragment.slice(0, cut))).toThrow(
        expect.objectContaining({
          code: 'invalid_input',
          hint: expect.stringContaining('Copy the whole link') as string,
        }),
      );
    }
  });

  it('with any character changed it is refused: it would lead to a room of its own', () => {
    const fragment = encodeInvite(newInvite());
    const start = '#join='.length;
    for (let at = start; at < fragment.length - 1; at++) {
      const other = fragment[at] === 'A' ? 'B' : 'A';
      const text = fragment.slice(0, at) + other + fragment.slice(at + 1);
      expect(() => parseInvite(text), String(at)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    }
  });

  it('refuses everything that is no invite', () => {
    const good = fieldsOf(newInvite());
    for (const bad of [
      { ...good, v: 0 },
      { ...good, v: 'one' },
      { ...good, room: good.room.subarray(1) },
      { ...good, room: 'room' },
      { ...good, epoch: 0 },
      { ...good, secret: new Uint8Array(31) },
      { ...good, name: 'x'.repeat(81) },
      { ...good, relays: ['not an address'] },
      { ...good, relays: ['/dns4/relay.example.org/tcp/443/wss'] },
      { ...good, relays: Array.from({ length: 9 }, () => RELAY) },
      { ...good, extra: 1 },
      { ...good, access: { [RELAY_ID]: new Uint8Array(15) } },
      { ...good, access: { relay: new Uint8Array(16) } },
      { ...good, access: [] },
      { ...good, origin: { ...good.origin, owner: RELAY_ID } },
      { ...good, origin: { ...good.origin, salt: new Uint8Array(16) } },
      { ...good, origin: {} },
      { ...good, v: 1 },
      [good],
    ]) {
      expect(() => parseInvite(linkOf(bad)), JSON.stringify(bad)).toThrow(
        expect.objectContaining({ code: 'invalid_input' }),
      );
    }
    expect(() => parseInvite('x'.repeat(10_000))).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseInvite(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
      }),
    );
  });

  it('names relays that members tell of apart from the others', () => {
    const invite = newInvite({ told: [RELAY.replace('relay', 'other')] });
    expect(parseInvite(encodeInvite(invite))).toEqual(invite);
    expect(previewInvite(invite, false).relays).toEqual(['relay.example.org:443', 'other.example.org:443']);
    const fields = { ...fieldsOf(invite), v: 3, told: invite.told };
    expect(parseInvite(linkOf(fields))).toEqual(invite);
    for (const bad of [
      { ...fields, v: 2 },
      { ...fieldsOf(invite), v: 3 },
      { ...fields, told: RELAY },
      { ...fields, told: ['not an address'] },
      { ...fields, told: Array.from({ length: 8 }, () => RELAY) },
    ]) {
      expect(() => parseInvite(linkOf(bad))).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    }
  });

  it('of the first version belongs to a room without an owner, and needs no key at a relay', () => {
    const invite = newInvite();
    expect(parseInvite(linkOf(oldFieldsOf(invite)))).toEqual({ ...invite, origin: null });
  });

  it('of a newer version asks for an update, whatever else it holds', () => {
    expect(() => parseInvite(linkOf({ v: 4, something: 'new' }))).toThrow(
      expect.objectContaining({ code: 'format_newer', hint: 'Update this app.' }),
    );
  });

  it("is shown by its relays' hosts", () => {
    const peer = RELAY.slice(RELAY.indexOf('/p2p/'));
    const relays = [RELAY, `/ip4/127.0.0.1/tcp/8080/ws${peer}`, `/ip6/::1/udp/9000/quic-v1${peer}`, RELAY];
    const invite = newInvite({ relays });
    expect(previewInvite(invite, true)).toEqual({
      room: invite.room,
      roomName: invite.roomName,
      relays: ['relay.example.org:443', '127.0.0.1:8080', '[::1]:9000'],
      known: true,
    });
  });

  it('is not made with fields out of bounds', () => {
    expect(() => encodeInvite(newInvite({ roomName: 'x'.repeat(81) }))).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
    expect(() => encodeInvite(newInvite({ secret: new Uint8Array(3) }))).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
  });
});

describe('room secret', () => {
  it('is new for every room', () => {
    const [one, two] = [newRoom(), newRoom()];
    expect(one.room).toMatch(/^[a-z2-7]{26}$/);
    expect(one.room).not.toBe(two.room);
    expect(one.secret).not.toEqual(two.secret);
  });

  it('gives the same keys everywhere, and others for another room, epoch or secret', () => {
    const secret = { ...newRoom() };
    const keys = deriveRoomKeys(secret);
    expect(deriveRoomKeys({ ...secret })).toEqual(keys);
    expect(keys.joinProof).toHaveLength(32);
    expect(keys.rendezvous).toMatch(/^[a-z2-7]{32}$/);
    for (const other of [{ room: newRoom().room }, { epoch: 2 }, { secret: secret.secret.map((byte) => byte ^ 1) }]) {
      const otherKeys = deriveRoomKeys({ ...secret, ...other });
      expect(otherKeys.joinProof).not.toEqual(keys.joinProof);
      expect(otherKeys.rendezvous).not.toBe(keys.rendezvous);
    }
    expect(() => deriveRoomKeys({ ...secret, secret: new Uint8Array(16) })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
  });

  it('derives as HKDF-SHA-256 of the platform does', async () => {
    const { room, epoch, secret } = newRoom();
    const text = new TextEncoder();
    const key = await crypto.subtle.importKey('raw', Uint8Array.from(secret), 'HKDF', false, ['deriveBits']);
    const info = text.encode(`tabmesh/join-proof/1/epoch/${epoch}`);
    const bits = await crypto.subtle.deriveBits(
      { name: 'HKDF', hash: 'SHA-256', salt: text.encode(room), info },
      key,
      256,
    );
    expect(deriveRoomKeys({ room, epoch, secret }).joinProof).toEqual(new Uint8Array(bits));
  });
});

describe('remembered rooms', () => {
  it('of the first version are read with no owner and no keys', async () => {
    const store = createMemoryStore();
    const { origin: _origin, access: _access, ...old } = newInvite();
    await store.put(`rooms/${old.room}`, { ...old, version: 1 });
    const { invite } = await createRoomsStore(store).get(old.room);
    expect(invite).toEqual({ ...old, version: 2, origin: null, access: {} });
  });

  it('are listed, most recently opened first, and forgotten with their secret', async () => {
    const store = createMemoryStore();
    const rooms = createRoomsStore(store);
    const [one, two, three] = [newInvite(), newInvite(), newInvite()];
    await Promise.all([one, two, three].map((invite) => rooms.put(invite)));
    await rooms.markOpened(two.room, 10);
    await rooms.markOpened(three.room, 20);
    expect(await rooms.list()).toEqual([
      { invite: three, openedAt: 20 },
      { invite: two, openedAt: 10 },
      { invite: one, openedAt: 0 },
    ]);
    const renamed = { ...two, roomName: 'renamed' };
    await rooms.put(renamed);
    expect(await rooms.get(two.room)).toEqual({ invite: renamed, openedAt: 10 });
    await rooms.forget(two.room);
    expect(await rooms.has(two.room)).toBe(false);
    expect((await store.keys()).some((key) => key.includes(two.room))).toBe(false);
    await expect(rooms.get(two.room)).rejects.toMatchObject({ code: 'not_found' });
  });
});
