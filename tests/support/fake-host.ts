import type { AppHost, RememberedRoom, Settings } from '../../src/contracts/app.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { RoomId } from '../../src/lib/ids.ts';
import { fakePeers } from './fake-data.ts';
import { fakeRoom } from './fake-room.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const START_MS = 60;

const SETTINGS: Settings = {
  stun: ['stun:stun.example.org:3478', 'stun:stun2.example.org:3478'],
  turn: [
    {
      urls: ['turn:turn.example.org:3478', 'turns:turn.example.org:443?transport=tcp'],
      username: 'lab',
      credential: 'x',
    },
    {
      urls: ['turn:relay-in-the-other-building.department.university.example.org:3478'],
      username: 'a',
      credential: 'x',
    },
  ],
  github: { repository: 'the-lab/peers', token: 'x' },
};

/** An AppHost in memory: for component tests and for looking at screens. Never part of the product. */
export async function fakeHost(scenario: Scenario): Promise<AppHost> {
  if (scenario === 'slow') await new Promise(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, START_MS));
  const self = fakePeers(1, false, [])[0];
  if (self === undefined) throw new Error('no peer');
  let rooms = rememberedRooms(SCENARIOS[scenario].rooms, scenario === 'extreme');
  let settings: Settings =
    scenario === 'dozen' || scenario === 'extreme' ? SETTINGS : { stun: [], turn: [], github: null };
  let persisted = false;
  const device = { id: self.device, name: self.name };

  const open = (id: RoomId, name: string) => {
    const room = { id, name, openedAt: Date.now(), relays: ['relay.example.org:443'] };
    rooms = [room, ...rooms.filter((known) => known.id !== id)];
    return fakeRoom(id, name, scenario);
  };

  return {
    device,
    rename: (name) => {
      device.name = name;
      return Promise.resolve();
    },
    rooms: () => Promise.resolve(rooms),
    readInvite: (text) => {
      if (!text.includes('join=')) {
        return Promise.reject(
          new TabmeshError('invalid_input', 'this is not an invite link', {
            hint: 'An invite link ends in #join= and a long text. Copy the whole link.',
          }),
        );
      }
      return Promise.resolve({
        room: 'roominvited' as RoomId,
        roomName: 'Sleep & metabolism reading group',
        relays: ['relay.example.org:443'],
        known: rooms.some((room) => room.id === 'roominvited'),
      });
    },
    createRoom: (name) => Promise.resolve(open('roomnew' as RoomId, name)),
    wantsRelayKey: () => Promise.resolve(scenario === 'locked'),
    startOver: (id) => Promise.resolve(open(id, rooms.find((room) => room.id === id)?.name ?? 'Room')),
    joinRoom: () => Promise.resolve(open('roominvited' as RoomId, 'Sleep & metabolism reading group')),
    openRoom: (id) => {
      if (scenario === 'newer') {
        return Promise.reject(
          new TabmeshError(
            'format_newer',
            'this room was stored by a newer version of Tabmesh (format 2, this app reads 1)',
            {
              hint: 'Update this app: reload the page while you are online.',
            },
          ),
        );
      }
      return Promise.resolve(open(id, rooms.find((room) => room.id === id)?.name ?? 'Room'));
    },
    forgetRoom: (id) => {
      rooms = rooms.filter((room) => room.id !== id);
      return Promise.resolve();
    },
    eraseBrowser: () => {
      rooms = [];
      return Promise.resolve();
    },
    settings: () => Promise.resolve(settings),
    saveSettings: (next) => {
      if (scenario === 'failing') {
        return Promise.reject(
          new TabmeshError('quota_exceeded', 'the disk is full', { hint: 'Delete a dataset, then save again.' }),
        );
      }
      settings = next;
      return Promise.resolve();
    },
    storage: () => Promise.resolve({ usedBytes: 48_300_000, quotaBytes: 2_100_000_000, persisted }),
    persist: () => {
      persisted = true;
      return Promise.resolve(true);
    },
    exportRoom: () => Promise.resolve(new Blob(['car'])),
  };
}

function rememberedRooms(count: number, extreme: boolean): RememberedRoom[] {
  const names = ['Sleep & metabolism', 'Trial registry watch', 'Lab: asthma at home'];
  return Array.from({ length: count }, (_, n) => ({
    id: `room${String(n)}` as RoomId,
    name: extreme
      ? `Reading group on circadian rhythm and metabolic health ${String(n)}`.padEnd(60, 'x')
      : (names[n % 3] ?? 'Room'),
    openedAt: Date.now() - n * 86_400_000,
    relays: ['relay.example.org:443'],
  }));
}
