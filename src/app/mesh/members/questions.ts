import type { RoomClient } from '../../../contracts/app.ts';
import type { RoomMember } from '../../../contracts/mesh.ts';

/** What an owner is asked to confirm. */
export type Asking =
  { readonly what: 'block' | 'unblock' | 'appoint'; readonly member: RoomMember } | { readonly what: 'change-secret' };

interface Question {
  readonly title: string;
  /** what happens, and what is lost, one point each */
  readonly points: readonly string[];
  readonly confirmLabel: string;
  readonly danger: boolean;
  /** said when it is done */
  readonly done: string;
  readonly run: (room: RoomClient) => Promise<void>;
}

/** The question for each change of a room's members: what will happen, before it does. */
export function questionOf(asking: Asking): Question {
  if (asking.what === 'change-secret') {
    return {
      title: 'Change the room’s secret?',
      points: [
        'Invites of before stop working. Make new ones for people who have not joined yet.',
        'Members get the new secret by themselves, also those that are away now.',
      ],
      confirmLabel: 'Change the secret',
      danger: false,
      done: 'The room has a new secret',
      run: (room) => room.changeSecret(),
    };
  }
  const { device, name } = asking.member;
  switch (asking.what) {
    case 'block':
      return {
        title: `Block ${name}?`,
        points: [
          'Its links are cut, in all of its tabs.',
          'The room gets a new secret that it cannot have. Invites of before stop working.',
          'What it has fetched stays with it; nobody can call that back.',
        ],
        confirmLabel: 'Block device',
        danger: true,
        done: `${name} is blocked`,
        run: (room) => room.blockDevice(device),
      };
    case 'unblock':
      return {
        title: `Unblock ${name}?`,
        points: [
          'It comes back by itself when it is online, as a member.',
          'The room gets a new secret once more, so invites of before stop working.',
        ],
        confirmLabel: 'Unblock device',
        danger: false,
        done: `${name} is unblocked`,
        run: (room) => room.unblockDevice(device),
      };
    case 'appoint':
      return {
        title: `Make ${name} an owner?`,
        points: [
          'It can block devices and change the room’s secret, as you can.',
          'Only you, whose device made the room, can appoint owners. To take it back, block the device.',
        ],
        confirmLabel: 'Make owner',
        danger: false,
        done: `${name} is an owner now`,
        run: (room) => room.appointOwner(device),
      };
  }
}
