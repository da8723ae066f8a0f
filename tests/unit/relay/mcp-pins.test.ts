import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openPinStores } from '../../../relay/http/mcp/pin-store.ts';
import { MAX_PINS_PER_DEVICE, MAX_QUARANTINED } from '../../../relay/http/mcp/limits.ts';
import { createPins, definitionHash, type PinStore } from '../../../relay/http/mcp/pins.ts';
import type { Place, RoomTool, ToolMetadata } from '../../../src/contracts/tools.ts';
import type { DeviceId, PeerId, RoomId } from '../../../src/lib/ids.ts';
import { memoryTool } from '../../support/room-tools.ts';

const ROOM = 'room-a' as RoomId;

const place = (kind: Place['kind'], peer: string): Place => ({
  kind,
  peer: peer as PeerId,
  device: `${peer}-device` as DeviceId,
  name: peer,
});
const offered = (metadata: Partial<ToolMetadata>, ...places: Place[]): RoomTool => ({
  metadata: memoryTool('shared', () => ({}), metadata).metadata,
  places: places.length === 0 ? [place('peer', 'tab')] : places,
});

const memoryStore = (initial: Record<string, string> = {}): PinStore & { saved: Record<string, string>[] } => {
  const saved: Record<string, string>[] = [];
  return {
    initial,
    saved,
    save: (pins) => {
      saved.push({ ...pins });
      return Promise.resolve();
    },
  };
};
const pinsOver = (store: PinStore) =>
  createPins(store, (error) => {
    throw error;
  });

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('pins of tool definitions', () => {
  it('take the first definition, and hold back every other', () => {
    const store = memoryStore();
    const pins = pinsOver(store);
    expect(pins.admit(offered({}))).not.toBeNull();
    expect(store.saved).toEqual([{ shared: definitionHash(offered({}).metadata) }]);
    for (const changed of [
      { description: 'Other words.' },
      { inputSchema: { type: 'object', properties: { more: {} } } },
      { outputSchema: { type: 'object', title: 'x' } },
    ]) {
      expect(pins.admit(offered(changed))).toBeNull();
      expect(() => {
        pins.accepts('shared');
      }).toThrow(/definition of shared/);
    }
    expect(pins.admit(offered({}))).not.toBeNull();
    pins.accepts('shared');
    expect(pins.quarantined()).toEqual([]);
  });

  it('do not mind the order of keys, nor what is no part of the definition', () => {
    const pins = pinsOver(memoryStore());
    pins.admit(offered({ inputSchema: { type: 'object', title: 'a' } }));
    expect(pins.admit(offered({ inputSchema: { title: 'a', type: 'object' }, timeoutMs: 9 }))).not.toBeNull();
  });

  it('hold everybody to what the relay offers itself', () => {
    const pins = pinsOver(memoryStore());
    const own = place('self', 'relay');
    expect(pins.admit(offered({}, own))).not.toBeNull();
    expect(pins.admit(offered({ description: 'Shadowed.', schemaVersion: '99' }, place('peer', 'tab')))).toBeNull();
    expect(pins.admit(offered({ description: 'A newer relay.' }, own))).not.toBeNull();
  });

  it('bind a call to the places that offer what was pinned', () => {
    const pins = pinsOver(memoryStore());
    const honest = offered({}).metadata;
    const other = offered({ description: 'Other words.', schemaVersion: '99' }).metadata;
    const [tab, low] = [place('peer', 'tab'), place('peer', 'a-low-one')];
    pins.admit(offered({}, tab));
    const both: RoomTool = {
      metadata: other,
      places: [low],
      offers: [
        { place: low, metadata: other },
        { place: tab, metadata: honest },
      ],
    };
    expect(pins.admit(both)).toEqual({ metadata: honest, places: [tab] });
    expect(pins.quarantined()).toEqual([]);
    const accepts = pins.accepts('shared');
    expect([accepts?.(honest), accepts?.(other)]).toEqual([true, false]);
    expect(pins.accepts('shared')).toBe(accepts);
    expect(pins.accepts('never-seen')?.(honest)).toBe(false);
    pins.admit(offered({}, place('self', 'relay')));
    expect(pins.accepts('shared')).toBeNull();
  });

  it('are few of one device, and what waits is forgotten when nobody offers it', () => {
    const pins = pinsOver(memoryStore());
    const junk = Array.from({ length: 20_000 }, (_, i) => offered({ name: `junk-${String(i)}` }));
    expect(pins.admitAll(junk)).toHaveLength(MAX_PINS_PER_DEVICE);
    expect(pins.pinned()).toHaveLength(MAX_PINS_PER_DEVICE);
    expect(pins.quarantined()).toHaveLength(MAX_QUARANTINED);
    expect(pins.admit(offered({ name: 'honest' }, place('peer', 'other')))).not.toBeNull();
    expect(pins.admitAll([offered({ name: 'honest' }, place('peer', 'other'))])).toHaveLength(1);
    expect(pins.quarantined()).toEqual([]);
  });

  it('are taken back, and the next definition is pinned', async () => {
    const store = memoryStore();
    const pins = pinsOver(store);
    pins.admit(offered({}));
    let told = 0;
    pins.subscribe(() => told++);
    await pins.forget('shared');
    expect([store.saved.at(-1), told]).toEqual([{}, 1]);
    await expect(pins.forget('shared')).rejects.toMatchObject({ code: 'not_found' });
    const second = offered({ description: 'second' });
    expect(pins.admit(second)).not.toBeNull();
    expect(pins.accepts('shared')?.(second.metadata)).toBe(true);
  });

  it('never admit what has no canonical form', () => {
    const pins = pinsOver(memoryStore());
    expect(pins.admit(offered({ description: '\ud800' }))).toBeNull();
  });

  it('accept what was looked at, not what came after', async () => {
    const pins = pinsOver(memoryStore());
    pins.admit(offered({}));
    pins.admit(offered({ description: 'second' }));
    const [second] = pins.quarantined();
    pins.admit(offered({ description: 'third' }));
    await expect(pins.accept('shared', second?.offered ?? '')).rejects.toMatchObject({ code: 'conflict' });
    await expect(pins.accept('other', '')).rejects.toMatchObject({ code: 'not_found' });
    await pins.accept('shared', pins.quarantined()[0]?.offered ?? '');
    expect(pins.admit(offered({ description: 'third' }))).not.toBeNull();
    expect(pins.admit(offered({}))).toBeNull();
  });

  it('stay as they were when an acceptance cannot be kept', async () => {
    const pins = createPins({ initial: {}, save: () => Promise.reject(new Error('disk full')) }, () => undefined);
    pins.admit(offered({}));
    pins.admit(offered({ description: 'second' }));
    await expect(pins.accept('shared', pins.quarantined()[0]?.offered ?? '')).rejects.toThrow('disk full');
    expect(pins.admit(offered({ description: 'second' }))).toBeNull();
  });

  it('show what was accepted beside what is offered, and remember a refusal until it changes', async () => {
    const pins = pinsOver(memoryStore());
    pins.admit(offered({ description: 'first' }));
    expect(pins.pinned()).toMatchObject([{ tool: 'shared', definition: { description: 'first' } }]);
    pins.admit(offered({ description: 'second' }));
    const [second] = pins.quarantined();
    expect(second).toMatchObject({
      accepted: { description: 'first' },
      definition: { description: 'second' },
      refused: false,
    });
    await expect(pins.refuse('shared', 'another')).rejects.toMatchObject({ code: 'conflict' });
    await pins.refuse('shared', second?.offered ?? '');
    expect(pins.quarantined()).toMatchObject([{ refused: true }]);
    expect(pins.admit(offered({ description: 'second' }))).toBeNull();
    pins.admit(offered({ description: 'third' }));
    expect(pins.quarantined()).toMatchObject([{ definition: { description: 'third' }, refused: false }]);
    pins.admit(offered({ description: 'second' }));
    await pins.accept('shared', second?.offered ?? '');
    expect(pins.pinned()).toMatchObject([{ definition: { description: 'second' } }]);
  });

  it('keep what a peer offered beside the relay’s own as the relay’s own said it', () => {
    const pins = pinsOver(memoryStore());
    pins.admit(offered({ description: 'own' }, place('self', 'relay')));
    pins.admit(offered({ description: 'shadow' }));
    expect(pins.quarantined()).toMatchObject([{ accepted: { description: 'own' } }]);
    expect(pins.pinned()).toEqual([]);
  });

  it('keep the hash alone of a definition that is very long', () => {
    const pins = pinsOver(memoryStore());
    pins.admit(offered({ description: 'x'.repeat(20_000) }));
    expect(pins.pinned()).toMatchObject([{ tool: 'shared', definition: null }]);
    pins.admit(offered({ description: 'short' }));
    expect(pins.quarantined()).toMatchObject([{ accepted: null, definition: { description: 'short' } }]);
  });

  it('keep definitions and refusals over a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-pins-'));
    folders.push(folder);
    const open = async () => pinsOver(await openPinStores(folder)(ROOM));
    const before = await open();
    before.admit(offered({ description: 'first' }));
    before.admit(offered({ description: 'second' }));
    await before.refuse('shared', before.quarantined()[0]?.offered ?? '');
    const after = await open();
    expect(after.pinned()).toEqual(before.pinned());
    expect(after.admit(offered({ description: 'second' }))).toBeNull();
    expect(after.quarantined()).toMatchObject([{ accepted: { description: 'first' }, refused: true }]);
  });

  it('read a file of before definitions were kept, and learn them as they are seen', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-pins-'));
    folders.push(folder);
    const hash = definitionHash(offered({}).metadata);
    await writeFile(
      join(folder, 'tool-pins.json'),
      JSON.stringify({ version: 1, rooms: { [ROOM]: { shared: hash } } }),
    );
    const pins = pinsOver(await openPinStores(folder)(ROOM));
    expect(pins.pinned()).toEqual([{ tool: 'shared', hash, definition: null }]);
    expect(pins.admit(offered({}))).not.toBeNull();
    expect(pins.pinned()).toMatchObject([{ definition: { name: 'shared' } }]);
  });

  it('are there after a restart, by room', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-pins-'));
    folders.push(folder);
    const store = await openPinStores(folder)(ROOM);
    await store.save({ shared: 'a' });
    await store.save({ shared: 'b', other: 'c' });
    const again = openPinStores(folder);
    expect((await again(ROOM)).initial).toEqual({ shared: 'b', other: 'c' });
    expect((await again('room-b' as RoomId)).initial).toEqual({});
    expect(JSON.parse(await readFile(join(folder, 'tool-pins.json'), 'utf8'))).toMatchObject({ version: 1 });
  });

  it.each([
    ['{', 'corrupt'],
    ['{"version":1,"rooms":{"room-a":{"shared":1}}}', 'corrupt'],
    ['{"version":2,"rooms":{}}', 'format_newer'],
  ])('refuse a file that is not theirs: %s', async (text, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-pins-'));
    folders.push(folder);
    await writeFile(join(folder, 'tool-pins.json'), text);
    await expect(openPinStores(folder)(ROOM)).rejects.toMatchObject({ code });
  });
});
