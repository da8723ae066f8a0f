import fc from 'fast-check';
import { createDecoder, readVarUint } from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { createPresence } from '../../../src/mesh/replica/presence.ts';
import type { PresenceState } from '../../../src/mesh/replica/presence-state.ts';
import { manualClock } from '../../support/manual-clock.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import { newDevice } from '../../support/replica.ts';

const MINUTE = 60_000;

describe('presence', () => {
  let clock: ManualClock;
  let a: PeerId;
  let b: PeerId;
  let device: DeviceId;

  const stateOf = (peer: PeerId, change: Partial<PresenceState> = {}): PresenceState => ({
    peer,
    device,
    name: 'Amber Heron',
    kind: 'tab',
    visible: true,
    tools: ['search_index'],
    shardRecords: 12,
    served: { search_index: 3 },
    load: 0.25,
    battery: { level: 0.5, charging: true },
    links: [{ peer: a, direct: true, latencyMs: 3 }],
    since: 1_000_000,
    ...change,
  });
  const presenceOf = (self: PeerId) => createPresence({ self, clock, deviceOf: () => device });

  beforeEach(async () => {
    clock = manualClock();
    const [first, second, third] = await Promise.all([newDevice(), newDevice(), newDevice()]);
    a = first.id as string as PeerId;
    b = second.id as string as PeerId;
    device = third.id;
  });

  it('shows what another peer says of itself, and what it says next', () => {
    const [here, there] = [presenceOf(a), presenceOf(b)];
    let changes = 0;
    here.subscribe(() => changes++);
    there.setLocal(stateOf(b));
    here.receive(b, there.encode());
    expect(here.states()).toEqual(new Map([[b, stateOf(b)]]));
    there.onSend((bytes) => {
      here.receive(b, bytes);
    });
    there.setLocal(stateOf(b, { visible: false, shardRecords: 13 }));
    expect(here.states().get(b)).toEqual(stateOf(b, { visible: false, shardRecords: 13 }));
    expect(changes).toBe(2);
  });

  it('reads peers of before load, battery and links were told', () => {
    const here = presenceOf(a);
    const { load: _load, battery: _battery, links: _links, ...old } = stateOf(b);
    const there = presenceOf(b);
    there.setLocal(old as PresenceState);
    here.receive(b, there.encode());
    expect(here.states().get(b)).toEqual({ ...old, load: null, battery: null, links: [] });
  });

  it.each([
    { load: 1.5 },
    { load: 'much' },
    { battery: { level: 2, charging: true } },
    { battery: {} },
    { links: [{ peer: 'x', direct: true, latencyMs: null }] },
    { links: Array.from({ length: 251 }, () => ({ peer: 'x', direct: true, latencyMs: null })) },
    { links: {} },
  ])('refuses %j', (change) => {
    const [here, there] = [presenceOf(a), presenceOf(b)];
    there.setLocal(stateOf(b, change as unknown as Partial<PresenceState>));
    expect(() => {
      here.receive(b, there.encode());
    }).toThrow(expect.objectContaining({ code: 'protocol_error' }));
  });

  it('ignores a message that is older than what it knows', () => {
    const [here, there] = [presenceOf(a), presenceOf(b)];
    there.setLocal(stateOf(b));
    const old = there.encode();
    there.setLocal(stateOf(b, { shardRecords: 99 }));
    here.receive(b, there.encode());
    here.receive(b, old);
    expect(here.states().get(b)?.shardRecords).toBe(99);
  });

  it('believes a peer that was reloaded, also while the old connection lingers', async () => {
    const here = presenceOf(a);
    const before = presenceOf(b);
    for (let n = 0; n < 20; n++) before.setLocal(stateOf(b, { shardRecords: n }));
    here.receive(b, before.encode());
    before.close();
    await clock.advance(500);
    const after = presenceOf(b);
    after.setLocal(stateOf(b, { shardRecords: 0 }));
    here.receive(b, after.encode());
    expect(here.states().get(b)?.shardRecords).toBe(0);
    here.remove(b);
    expect(here.states().size).toBe(0);
    here.receive(b, after.encode());
    expect(here.states().size).toBe(1);
  });

  it('takes only what a peer says of itself and its proven device', async () => {
    const here = presenceOf(a);
    const [mallory, other] = [await newDevice(), await newDevice()];
    const evil = mallory.id as string as PeerId;
    const there = presenceOf(evil);
    const claims: Partial<PresenceState>[] = [{ peer: b }, { device: other.id }];
    for (const claim of claims) {
      there.setLocal(stateOf(evil, claim));
      expect(() => {
        here.receive(evil, there.encode());
      }).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    }
    const honest = presenceOf(b);
    honest.setLocal(stateOf(b));
    expect(() => {
      here.receive(evil, honest.encode());
    }).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    expect(here.states().size).toBe(0);
  });

  it('lets nobody speak under the number of another', async () => {
    const here = presenceOf(a);
    const there = presenceOf(b);
    there.setLocal(stateOf(b));
    const evil = (await newDevice()).id as string as PeerId;
    const honest = createDecoder(there.encode());
    readVarUint(honest);
    const encoder = createEncoder();
    writeVarUint(encoder, 1);
    writeVarUint(encoder, readVarUint(honest));
    writeVarUint(encoder, 2 ** 50);
    writeVarString(encoder, JSON.stringify(stateOf(evil)));
    expect(() => {
      here.receive(evil, toUint8Array(encoder));
    }).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    here.receive(b, there.encode());
    expect([...here.states().keys()]).toEqual([b]);
  });

  it('refuses everything malformed, and stays as it was', () => {
    const here = presenceOf(a);
    const there = presenceOf(b);
    there.setLocal(stateOf(b));
    const good = there.encode();
    here.receive(b, good);
    const refused = (bytes: Uint8Array) => {
      expect(() => {
        here.receive(b, bytes);
      }).toThrow(expect.objectContaining({ code: 'protocol_error' }));
    };
    for (let cut = 0; cut < good.length; cut++) refused(good.subarray(0, cut));
    refused(new Uint8Array(70_000));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), refused));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(stateOf(b))), fc.jsonValue(), (field, value) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(stateOf(b)[field as keyof PresenceState]));
        fc.pre(!['name', 'since', 'shardRecords', 'visible', 'served', 'tools'].includes(field) || value === null);
        const encoder = createEncoder();
        writeVarUint(encoder, 1);
        writeVarUint(encoder, 7);
        writeVarUint(encoder, 2 ** 50);
        writeVarString(encoder, JSON.stringify({ ...stateOf(b), [field]: value }));
        refused(toUint8Array(encoder));
      }),
    );
    expect(here.states()).toEqual(new Map([[b, stateOf(b)]]));
  });

  it('says nothing before it was told what', () => {
    expect(() => presenceOf(a).encode()).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('renews itself, so that a peer that is there does not expire', async () => {
    const [here, there] = [presenceOf(a), presenceOf(b)];
    there.onSend((bytes) => {
      here.receive(b, bytes);
    });
    there.setLocal(stateOf(b));
    await clock.advance(10 * MINUTE);
    expect(here.states().size).toBe(1);
  });

  it('forgets a silent peer: a visible one within a minute, one in the background later', async () => {
    const here = presenceOf(a);
    const there = presenceOf(b);
    there.setLocal(stateOf(b));
    here.receive(b, there.encode());
    there.close();
    await clock.advance(40_000);
    expect(here.states().size).toBe(1);
    await clock.advance(25_000);
    expect(here.states().size).toBe(0);

    const hidden = presenceOf(b);
    hidden.setLocal(stateOf(b, { visible: false }));
    here.receive(b, hidden.encode());
    hidden.close();
    await clock.advance(2 * MINUTE);
    expect(here.states().size).toBe(1);
    await clock.advance(MINUTE);
    expect(here.states().size).toBe(0);
  });

  it('stops its timer when closed', () => {
    const here = presenceOf(a);
    expect(clock.sleepers()).toBe(1);
    here.close();
    expect(clock.sleepers()).toBe(0);
  });
});
