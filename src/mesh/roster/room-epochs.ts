import type { KeyValueStore } from '../../contracts/kv.ts';
import type { RoomOrigin } from '../../contracts/mesh.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { Log } from '../../lib/log.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { RoomKeys, RoomSecret } from '../identity/room-secret.ts';
import { deriveRoomKeys, newRoomSecretBytes } from '../identity/room-secret.ts';
import { equalConstantTime } from '../membership/proof.ts';
import type { Owners } from './owners.ts';
import { MAX_APPOINTED, signOwners } from './owners.ts';
import type { Roster, SignedRoster } from './roster.ts';
import { admits, commitmentOf, signRoster, supersedes, verifyRoster } from './roster.ts';

const KEY = 'epochs';
const VERSION = 1;
/**
 * Rendezvous topics of earlier epochs that members stay listed in, so that one who was away finds somebody to ask for the
 * new secret. Each is one stream to each relay.
 */
const MAX_PAST_TOPICS = 8;

/** The room's secret as of now, and who may have it. */
interface Epoch {
  readonly secret: RoomSecret;
  readonly keys: RoomKeys;
  /** null until an owner has changed the secret or the owners for the first time: everybody with the secret belongs */
  readonly signed: SignedRoster | null;
  /** newest first */
  readonly pastTopics: readonly string[];
}

interface StoredEpoch {
  readonly version: number;
  readonly epoch: number;
  readonly secret: Uint8Array;
  readonly roster: Uint8Array;
  readonly pastTopics: readonly string[];
}

export interface RoomEpochsOptions {
  readonly origin: RoomOrigin | null;
  readonly deviceKey: DeviceKey;
  /** as the device remembers it */
  readonly secret: RoomSecret;
  /** of this room on this device */
  readonly store: KeyValueStore;
  /** makes the device remember the room by its new secret */
  readonly remember: (secret: RoomSecret) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a member gives to a device that is behind. */
export interface Grant {
  readonly roster: Uint8Array;
  readonly secret: Uint8Array;
}

/**
 * The epochs of one room at one peer. An owner starts a new one by changing the secret; whoever is listed takes it over
 * from any member, however late; whoever is blocked stays behind.
 */
export class RoomEpochs {
  readonly #options: RoomEpochsOptions;
  readonly #listeners = createListeners();
  #current: Epoch;

  private constructor(options: RoomEpochsOptions, current: Epoch) {
    this.#options = options;
    this.#current = current;
  }

  /**
   * Reads what is stored of the room's epochs.
   * @throws `format_newer`, `storage_failed`
   */
  static async open(options: RoomEpochsOptions): Promise<RoomEpochs> {
    const { origin, secret, store, remember } = options;
    const first: Epoch = { secret, keys: deriveRoomKeys(secret), signed: null, pastTopics: [] };
    const stored = await store.get<StoredEpoch>(KEY);
    if (stored === undefined || origin === null) return new RoomEpochs(options, first);
    if (stored.version > VERSION) {
      throw new TabmeshError('format_newer', `stored epochs of version ${stored.version}, this app reads ${VERSION}`, {
        hint: 'Update this app.',
      });
    }
    // joined anew by an invite of a later epoch, after it had been left behind
    if (stored.epoch < secret.epoch) return new RoomEpochs(options, first);
    const current = { ...secret, epoch: stored.epoch, secret: stored.secret };
    const epochs = new RoomEpochs(options, {
      secret: current,
      keys: deriveRoomKeys(current),
      signed: await verifyRoster(stored.roster, origin, secret.room),
      pastTopics: stored.pastTopics,
    });
    // a crash between the two writes of a change leaves the old secret with the device
    if (stored.epoch > secret.epoch) await remember(current);
    return epochs;
  }

  get secret(): RoomSecret {
    return this.#current.secret;
  }

  get keys(): RoomKeys {
    return this.#current.keys;
  }

  get roster(): Roster | null {
    return this.#current.signed?.roster ?? null;
  }

  /** topics of earlier epochs, newest first */
  get pastTopics(): readonly string[] {
    return this.#current.pastTopics;
  }

  /** the maker first; nobody for a room without one */
  get owners(): readonly DeviceId[] {
    const { origin } = this.#options;
    return origin === null ? [] : [origin.owner, ...(this.roster?.owners.appointed ?? [])];
  }

  /** Whether a device that proves the present secret may be here. */
  admits(device: DeviceId): boolean {
    return this.roster?.blocked.includes(device) !== true;
  }

  /** Whether a device may have the present secret without having proven it. */
  lists(device: DeviceId): boolean {
    return this.roster !== null && admits(this.roster, device);
  }

  /** Called after the secret or the list of members has changed; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Starts a new epoch with a new secret.
   * @param members devices that belong to the room, as far as this one knows
   * @param blocked devices that no longer do
   * @throws `forbidden` when this device does not own the room
   */
  async rotate(members: Iterable<DeviceId>, blocked: ReadonlySet<DeviceId>): Promise<void> {
    const { deviceKey } = this.#options;
    const origin = this.#requireOwner();
    if (blocked.has(origin.owner)) throw invalid('the maker of a room cannot be blocked');
    if (blocked.has(deviceKey.id)) throw invalid('a device cannot block itself');
    let owners = await this.#owners();
    if (owners.appointed.some((device) => blocked.has(device))) {
      this.#requireMaker('block another owner');
      const kept = owners.appointed.filter((device) => !blocked.has(device));
      owners = await signOwners(deviceKey, this.secret.room, owners.reign + 1, kept);
    }
    const secret = { ...this.secret, epoch: this.secret.epoch + 1, secret: newRoomSecretBytes() };
    await this.#sign(secret, owners, members, blocked);
  }

  /**
   * Makes `device` an owner of the room beside its maker; the secret stays.
   * @param members as for {@link rotate}
   * @throws `forbidden` when this device did not make the room
   */
  async appoint(device: DeviceId, members: Iterable<DeviceId>): Promise<void> {
    const { deviceKey } = this.#options;
    this.#requireMaker('appoint owners');
    const { reign, appointed } = await this.#owners();
    if (this.owners.includes(device)) return;
    if (!this.admits(device)) throw invalid('a blocked device cannot own the room');
    if (appointed.length >= MAX_APPOINTED) throw invalid(`a room has at most ${MAX_APPOINTED} owners beside its maker`);
    const owners = await signOwners(deviceKey, this.secret.room, reign + 1, [...appointed, device]);
    await this.#sign(this.secret, owners, members, new Set(this.roster?.blocked));
  }

  /** The signed list as it is now; null before the first change. */
  signed(): Uint8Array | null {
    return this.#current.signed?.bytes ?? null;
  }

  /**
   * What a device that is behind needs. The caller has checked that it speaks with a peer of `device`.
   * @param proven it has proven the present secret: invited since the list was signed, it lacks only the list
   * @throws `not_a_member` when the device is not listed
   */
  grant(device: DeviceId, proven = false): Grant {
    const { signed, secret } = this.#current;
    const entitled = proven ? this.admits(device) : this.lists(device);
    if (signed !== null && entitled) return { roster: signed.bytes, secret: secret.secret };
    throw new TabmeshError('not_a_member', 'this device is not on the list of members', {
      hint: 'Ask a member for a new invite.',
    });
  }

  /**
   * Takes over what another member says is the present epoch.
   * @returns whether it is newer than what is known here
   * @throws `unauthorized` when no owner signed it, or the secret is not the one it pins
   */
  async accept({ roster: bytes, secret }: Grant): Promise<boolean> {
    const { origin, deviceKey } = this.#options;
    if (origin === null)
      throw new TabmeshError('unauthorized', 'this room has no owner, so nobody can change its secret');
    const signed = await verifyRoster(bytes, origin, this.secret.room);
    if (!supersedes(signed, this.#current.signed)) return false;
    const next = { ...this.secret, epoch: signed.roster.epoch, secret: secret.slice() };
    if (!equalConstantTime(commitmentOf(next), signed.roster.commitment)) {
      throw new TabmeshError('unauthorized', 'the secret is not the one that the owner chose');
    }
    // who was invited since the list was signed is not on it yet, and has the secret all the same
    const invited = equalConstantTime(next.secret, this.secret.secret) && !signed.roster.blocked.includes(deviceKey.id);
    if (!invited && !admits(signed.roster, deviceKey.id)) {
      throw new TabmeshError('not_a_member', 'this device is no longer a member of the room');
    }
    await this.#take(next, signed);
    return true;
  }

  async #sign(
    secret: RoomSecret,
    owners: Owners,
    members: Iterable<DeviceId>,
    blocked: ReadonlySet<DeviceId>,
  ): Promise<void> {
    const { deviceKey, clock } = this.#options;
    const listed = new Set([...(this.roster?.members ?? []), ...members, ...this.owners, ...owners.appointed]);
    const signed = await signRoster(deviceKey, secret.room, {
      epoch: secret.epoch,
      owners,
      members: [...listed].filter((device) => !blocked.has(device)),
      blocked: [...blocked],
      commitment: commitmentOf(secret),
      at: clock.now(),
    });
    await this.#take(secret, signed);
  }

  async #take(secret: RoomSecret, signed: SignedRoster): Promise<void> {
    const { store, remember, log } = this.#options;
    const before = this.#current;
    const keys = deriveRoomKeys(secret);
    const pastTopics =
      keys.rendezvous === before.keys.rendezvous
        ? before.pastTopics
        : [before.keys.rendezvous, ...before.pastTopics].slice(0, MAX_PAST_TOPICS);
    const stored: StoredEpoch = {
      version: VERSION,
      epoch: secret.epoch,
      secret: secret.secret,
      roster: signed.bytes,
      pastTopics,
    };
    await store.put(KEY, stored);
    await remember(secret);
    this.#current = { secret, keys, signed, pastTopics };
    log.info('epoch', {
      epoch: secret.epoch,
      reign: signed.roster.owners.reign,
      blocked: signed.roster.blocked.length,
    });
    this.#listeners.notify();
  }

  async #owners(): Promise<Owners> {
    const known = this.roster?.owners;
    if (known !== undefined) return known;
    this.#requireMaker('be the first to change the room');
    return await signOwners(this.#options.deviceKey, this.secret.room, 1, []);
  }

  #requireOwner(): RoomOrigin {
    const { origin, deviceKey } = this.#options;
    if (origin !== null && this.owners.includes(deviceKey.id)) return origin;
    throw new TabmeshError('forbidden', 'only a device that owns the room can do that', {
      hint:
        origin === null ? 'This room has no owner. Make a new one.' : 'Ask its owner; the Mesh view says who that is.',
    });
  }

  #requireMaker(what: string): void {
    const { origin, deviceKey } = this.#options;
    if (origin?.owner === deviceKey.id) return;
    throw new TabmeshError('forbidden', `only the device that made the room can ${what}`);
  }
}

function invalid(message: string): TabmeshError {
  return new TabmeshError('invalid_input', message);
}
