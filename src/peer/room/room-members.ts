import type { MeshPeer, RoomMember, RoomMemberList } from '../../contracts/mesh.ts';
import type { MembersPort } from '../../contracts/ports.ts';
import type { Replica } from '../../contracts/replica.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { friendlyName } from '../../mesh/identity/names.ts';
import type { RoomEpochs } from '../../mesh/roster/room-epochs.ts';

export interface RoomMembersOptions {
  readonly epochs: RoomEpochs;
  readonly replica: Replica;
  /** this one */
  readonly device: DeviceId;
  readonly online: () => readonly MeshPeer[];
}

const RANK: Readonly<Record<RoomMember['role'], number>> = { maker: 0, owner: 1, member: 2, blocked: 3 };

/** The devices of a room, and what its owners do about them. A device belongs from when it has signed its first entry here. */
export class RoomMembers implements MembersPort {
  readonly #options: RoomMembersOptions;

  constructor(options: RoomMembersOptions) {
    this.#options = options;
  }

  list(): RoomMemberList {
    const { epochs, replica, device: self, online } = this.#options;
    const devices = new Set([...this.#known(), ...(epochs.roster?.blocked ?? [])]);
    const here = new Map(
      online()
        .filter(({ link }) => link !== 'connecting')
        .map((peer) => [peer.device, peer]),
    );
    const views = replica.state().devices;
    const [maker, ...appointed] = epochs.owners;
    const roleOf = (device: DeviceId): RoomMember['role'] => {
      if (device === maker) return 'maker';
      if (!epochs.admits(device)) return 'blocked';
      return appointed.includes(device) ? 'owner' : 'member';
    };
    const members = [...devices].map((device): RoomMember => {
      const peer = here.get(device);
      const view = views[device];
      const name = [peer?.name, view?.name].find((known) => known !== undefined && known !== '');
      return {
        device,
        name: name ?? friendlyName(device),
        kind: peer?.kind ?? view?.kind ?? 'tab',
        self: device === self,
        online: peer !== undefined,
        role: roleOf(device),
        forked: view?.forked === true,
      };
    });
    return {
      epoch: epochs.secret.epoch,
      members: members.sort((a, b) => RANK[a.role] - RANK[b.role] || a.name.localeCompare(b.name)),
      canManage: epochs.owners.includes(self),
      isMaker: maker === self,
    };
  }

  /** Whether a device may be here. */
  admits(device: DeviceId): boolean {
    return this.#options.epochs.admits(device);
  }

  /** Called after an owner may have blocked or unblocked a device; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void {
    return this.#options.epochs.subscribe(listener);
  }

  async rotate(): Promise<void> {
    const { epochs } = this.#options;
    await epochs.rotate(this.#known(), new Set(epochs.roster?.blocked));
  }

  async block(device: DeviceId): Promise<void> {
    const { epochs } = this.#options;
    this.#require(device);
    await epochs.rotate(this.#known(), new Set([...(epochs.roster?.blocked ?? []), device]));
  }

  async unblock(device: DeviceId): Promise<void> {
    const { epochs } = this.#options;
    this.#require(device);
    const blocked = new Set(epochs.roster?.blocked);
    if (!blocked.delete(device)) throw new TabmeshError('invalid_input', 'that device is not blocked');
    await epochs.rotate([...this.#known(), device], blocked);
  }

  async appoint(device: DeviceId): Promise<void> {
    this.#require(device);
    await this.#options.epochs.appoint(device, this.#known());
  }

  /** Listed by an owner, or seen here: who joined since the last change is listed with the next. */
  #known(): Set<DeviceId> {
    const { epochs, replica, device, online } = this.#options;
    const seen = online().flatMap((peer) => (peer.link === 'connecting' ? [] : [peer.device]));
    const authors = Object.keys(replica.state().devices) as DeviceId[];
    return new Set([device, ...epochs.owners, ...(epochs.roster?.members ?? []), ...authors, ...seen]);
  }

  #require(device: DeviceId): void {
    if (this.list().members.some((member) => member.device === device)) return;
    throw new TabmeshError('not_found', 'no device of that id has been seen in this room', {
      hint: 'list_members names those that have.',
    });
  }
}
