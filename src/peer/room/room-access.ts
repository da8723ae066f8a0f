import type { ApprovalsPort } from '../../contracts/approvals.ts';
import type { AuditActor, AuditSink } from '../../contracts/audit.ts';
import type { GrantsPort, HeldGrantsPort } from '../../contracts/grants.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Replica } from '../../contracts/replica.ts';
import type { Principal } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { shared } from '../../lib/shared.ts';
import type { DeviceKey } from '../../mesh/identity/device-key.ts';
import type { WriteLock } from '../../mesh/storage/lock.ts';
import type { AccessChannel } from '../../tools/approvals/class-access.ts';
import { openAccessSettings } from '../../tools/approvals/class-access.ts';
import { createDiscretion } from '../../tools/discretion.ts';
import type { GuardOptions } from '../../tools/guard.ts';

export interface RoomAccessOptions {
  readonly room: RoomId;
  readonly deviceKey: DeviceKey;
  readonly peer: PeerId;
  readonly store: KeyValueStore;
  readonly replica: Replica;
  /** whether a device is let into the room */
  readonly admits: (device: DeviceId) => boolean;
  /** shared by all tabs of the device */
  readonly shared: { readonly lock: WriteLock; readonly channel: AccessChannel };
  /** where decisions are written down */
  readonly audit: AuditSink;
  /** who decides here */
  readonly me: () => AuditActor;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keys of the grants that this device was given. */
const HELD_PREFIX = 'access/held/';

/** What calls at a device of the room are to, as grants name it. */
const resourceOf = (room: RoomId, device: DeviceId): string => `tabmesh/${room}/${device}`;

/** Who may do what at this device: the settings at once, approvals and grants when they are first needed. */
export interface RoomAccess {
  readonly guard: Pick<GuardOptions, 'classAccess' | 'discretion'>;
  approvals(): Promise<ApprovalsPort>;
  grants(): Promise<GrantsPort>;
  heldGrants(): Promise<HeldGrantsPort>;
  /** The grants to show with a call to another device; null when none is about it. */
  grantFor(device: DeviceId, tool: string, args: unknown): Promise<readonly string[] | null>;
}

/** @throws `storage_failed` */
export async function openRoomAccess(options: RoomAccessOptions): Promise<RoomAccess> {
  const { deviceKey, peer, store, clock, log, replica } = options;
  const { lock, channel } = options.shared;
  const onError = (thrown: unknown) => {
    log.warn('access not read anew', { reason: toTabmeshError(thrown).message });
  };
  const settings = await openAccessSettings(store, channel, onError);
  // within a relay's own process nobody needs to say whose token it is
  const ownIssuer = (principal: Principal): Principal =>
    principal.kind === 'token' && principal.relay === peer ? { ...principal, issuer: deviceKey.id } : principal;
  const nameOf = (device: DeviceId) => replica.state().devices[device]?.name ?? device;

  const approvals = onDemand(async () => {
    const [{ ApprovalBook }, { ApprovalGate }, { auditedApprovals }] = await Promise.all([
      import('../../tools/approvals/book.ts'),
      import('../../tools/approvals/gate.ts'),
      import('../../tools/audit/decisions.ts'),
    ]);
    const book = await ApprovalBook.open({ store, lock, channel, settings, place: peer, clock, onError });
    const port = auditedApprovals(book, options.audit, options.me);
    return { port, gate: new ApprovalGate({ book, nameOf, clock }) };
  });
  const grants = onDemand(async () => {
    const [
      { GrantService },
      { auditedGrants },
      { didKeys, didOf },
      { actorOfSubject, createRevocationLedger, subjectOf },
    ] = await Promise.all([
      import('../../tools/grants/service.ts'),
      import('../../tools/audit/decisions.ts'),
      import('../../mesh/principals/did.ts'),
      import('./grant-ledger.ts'),
    ]);
    const service = new GrantService({
      keys: didKeys(deviceKey),
      resource: resourceOf(options.room, deviceKey.id),
      didOf,
      ledger: createRevocationLedger(options),
      store,
      lock,
      clock,
    });
    const port = auditedGrants(service, options.audit, options.me, (subject) => actorOfSubject(subject, nameOf));
    return { service, port, subjectOf };
  });

  // asking the disk costs more than most calls: it is asked again when a grant was added here or in another tab
  let additions = 0;
  let noneHeldAt = -1;
  channel.subscribe(() => {
    additions++;
  });
  const held = onDemand(async () => {
    const [{ HeldGrants }, { didOf }] = await Promise.all([
      import('../../tools/grants/held.ts'),
      import('../../mesh/principals/did.ts'),
    ]);
    const onAdded = () => {
      additions++;
      channel.announce();
    };
    return new HeldGrants({ store, prefix: HELD_PREFIX, lock, did: didOf(deviceKey.id) ?? '', onAdded, clock });
  });

  return {
    guard: {
      classAccess: () => settings.current(),
      discretion: createDiscretion({
        gate: async () => (await approvals()).gate,
        grants: async () => (await grants()).service,
        subjectOf: async (principal) => (await grants()).subjectOf(ownIssuer(principal)),
      }),
    },
    approvals: async () => (await approvals()).port,
    grants: async () => (await grants()).port,
    heldGrants: held,
    async grantFor(device, tool, args) {
      const known = additions;
      if (noneHeldAt === known) return null;
      // what reads them is loaded only where there are some
      if ((await store.keys(HELD_PREFIX)).length === 0) {
        noneHeldAt = known;
        return null;
      }
      return await (await held()).chainFor({ resource: resourceOf(options.room, device), tool, args });
    },
  };
}

/** Fetched once, and again when that has failed: a tab may be offline. */
function onDemand<T>(make: () => Promise<T>): () => Promise<T> {
  const once = shared(make);
  return async () => {
    try {
      return await once.get();
    } catch (thrown) {
      once.reset();
      throw thrown;
    }
  };
}
