import { describe, expect, it } from 'vitest';
import type { Replica } from '../../../src/contracts/replica.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { openRoomAccess } from '../../../src/peer/room/room-access.ts';
import type { AccessChannel } from '../../../src/tools/approvals/class-access.ts';
import { createListeners } from '../../../src/lib/listeners.ts';
import { deviceOf, MemoryReplica, openGrants, SAMPLE_ROOM } from '../../support/access.ts';
import { manualClock } from '../../support/manual-clock.ts';

const [owner, friend] = (await Promise.all([1, 2].map(deviceOf))) as [DeviceKey, DeviceKey];
const clock = manualClock(1_800_000_000_000);

/** The tabs of a device: each hears what the others announce. */
function tabs() {
  const memory = createMemoryStore();
  const lists = { asked: 0 };
  const store = {
    ...memory,
    keys: (prefix?: string) => {
      lists.asked++;
      return memory.keys(prefix);
    },
  };
  const lock = createProcessLock();
  const all = new Set<ReturnType<typeof createListeners>>();
  const open = () => {
    const own = createListeners();
    all.add(own);
    const channel: AccessChannel = {
      announce: () => {
        for (const other of all) if (other !== own) other.notify();
      },
      subscribe: (listener) => own.add(listener),
      close: () => undefined,
    };
    return openRoomAccess({
      room: SAMPLE_ROOM,
      deviceKey: friend,
      peer: '12D3KooWFriend' as PeerId,
      store,
      replica: new MemoryReplica(friend.id) as unknown as Replica,
      admits: () => true,
      shared: { lock, channel },
      audit: { record: () => undefined },
      me: () => ({ kind: 'device', id: friend.id, name: 'friend' }),
      clock,
      log: silentLog,
    });
  };
  return { open, lists };
}

async function grant(): Promise<string> {
  const { tokens } = await openGrants(owner, { clock }).issue({
    audience: friend.id,
    tools: ['delete_it'],
    lifetimeMs: 3_600_000,
    calls: null,
    args: null,
    maxDepth: 0,
    parents: null,
  });
  return tokens.join(' ');
}

describe('the grants that go with a call', () => {
  it('are asked of the disk once while there are none, and shown from when one is added, in this tab or another', async () => {
    const { open, lists } = tabs();
    const [here, beside] = await Promise.all([open(), open()]);
    for (let i = 0; i < 5; i++) expect(await here.grantFor(owner.id, 'delete_it', {})).toBeNull();
    expect(await beside.grantFor(owner.id, 'delete_it', {})).toBeNull();
    expect(lists.asked).toBe(2);

    const token = await grant();
    await (await beside.heldGrants()).add(token);
    expect(await beside.grantFor(owner.id, 'delete_it', {})).toEqual([token]);
    expect(await here.grantFor(owner.id, 'delete_it', {})).toEqual([token]);
    expect(await here.grantFor(owner.id, 'another_tool', {})).toBeNull();
  });
});
