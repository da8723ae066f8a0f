import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { AccessPorts } from '../../src/contracts/ports.ts';
import type { KeyValueStore } from '../../src/contracts/kv.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { DeviceId } from '../../src/lib/ids.ts';
import { shared } from '../../src/lib/shared.ts';
import { idOf } from '../../src/mesh/identity/device-id.ts';
import type { DeviceKey } from '../../src/mesh/identity/device-key.ts';
import { didKeys, didOf } from '../../src/mesh/principals/did.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../src/mesh/storage/lock.ts';
import { createRevocationLedger } from '../../src/peer/room/grant-ledger.ts';
import { ApprovalBook } from '../../src/tools/approvals/book.ts';
import { ApprovalGate } from '../../src/tools/approvals/gate.ts';
import { NO_CHANNEL, openAccessSettings, type AccessChannel } from '../../src/tools/approvals/class-access.ts';
import { HeldGrants } from '../../src/tools/grants/held.ts';
import { GrantService } from '../../src/tools/grants/service.ts';
import type { Replica } from '../../src/contracts/replica.ts';
import type { RevocationRecord } from '../../src/contracts/grants.ts';
import type { RoomId } from '../../src/lib/ids.ts';

/** A device whose key is the same in every run. */
export async function deviceOf(seed: number): Promise<DeviceKey> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed));
  return { id: idOf(privateKey.publicKey), privateKey };
}

const throwIt = (thrown: unknown) => {
  throw thrown;
};

/** The approvals of one tab of a device. Tabs share store, lock and channel. */
export async function openApprovals(
  options: {
    readonly store?: KeyValueStore;
    readonly clock?: Clock;
    readonly channel?: AccessChannel;
    readonly lock?: ReturnType<typeof createProcessLock>;
  } = {},
) {
  const {
    store = createMemoryStore(),
    clock = systemClock,
    channel = NO_CHANNEL,
    lock = createProcessLock(),
  } = options;
  const settings = await openAccessSettings(store, channel, throwIt);
  const book = await ApprovalBook.open({ store, lock, channel, settings, place: 'here', clock, onError: throwIt });
  const gate = new ApprovalGate({ book, nameOf: (device: DeviceId) => `device ${device.slice(-4)}`, clock });
  return { store, settings, book, gate };
}

/** A room's revocations in memory, shared by the devices that are given it. */
export class MemoryReplica implements Pick<Replica, 'device' | 'state' | 'putRevocation'> {
  readonly device: DeviceId;
  readonly #shared: Map<DeviceId, Record<string, RevocationRecord>>;

  constructor(device: DeviceId, shared = new Map<DeviceId, Record<string, RevocationRecord>>()) {
    this.device = device;
    this.#shared = shared;
    if (!shared.has(device)) shared.set(device, {});
  }

  state() {
    const devices = [...this.#shared].map(([device, revocations]) => [
      device,
      { device, name: device, kind: 'tab' as const, datasets: {}, segments: {}, revocations },
    ]);
    return { devices: Object.fromEntries(devices) } as ReturnType<Replica['state']>;
  }

  putRevocation(record: RevocationRecord): Promise<void> {
    this.#shared.set(this.device, { ...this.#shared.get(this.device), [record.revoked_delegation_cid]: record });
    return Promise.resolve();
  }
}

export const SAMPLE_ROOM = 'aaaaaaaaaaaaaaaaaaaaaaaaaa' as RoomId;

/** The grants of one device. */
export function openGrants(
  deviceKey: DeviceKey,
  options: {
    readonly replica?: MemoryReplica;
    readonly store?: KeyValueStore;
    readonly clock?: Clock;
    readonly admits?: (device: DeviceId) => boolean;
  } = {},
): GrantService {
  const { replica = new MemoryReplica(deviceKey.id), store = createMemoryStore(), clock = systemClock } = options;
  return new GrantService({
    keys: didKeys(deviceKey),
    resource: `tabmesh/${SAMPLE_ROOM}/${deviceKey.id}`,
    didOf,
    ledger: createRevocationLedger({ room: SAMPLE_ROOM, replica, admits: options.admits ?? (() => true) }),
    store,
    lock: createProcessLock(),
    clock,
  });
}

/** The grants that a device was given. */
export function openHeldGrants(
  deviceKey: DeviceKey,
  options: { readonly store?: KeyValueStore; readonly clock?: Clock } = {},
): HeldGrants {
  const { store = createMemoryStore(), clock = systemClock } = options;
  return new HeldGrants({
    store,
    prefix: 'access/held/',
    lock: createProcessLock(),
    did: didOf(deviceKey.id) ?? '',
    clock,
  });
}

/** Approvals and grants of a device that nobody has asked anything yet. */
export function memoryAccess(): AccessPorts & { heldGrants(): Promise<HeldGrants> } {
  const store = createMemoryStore();
  const opened = shared(async () => (await openApprovals({ store })).book);
  return {
    approvals: () => opened.get(),
    grants: async () => openGrants(await deviceOf(1), { store }),
    heldGrants: async () => openHeldGrants(await deviceOf(1), { store }),
  };
}
