import type { AuditActor } from '../../contracts/audit.ts';
import type { Replica } from '../../contracts/replica.ts';
import type { Principal } from '../../contracts/tools.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import { deviceOfDid, didOf } from '../../mesh/principals/did.ts';
import type { GrantServiceOptions } from '../../tools/grants/service.ts';

export interface LedgerOptions {
  readonly room: RoomId;
  readonly replica: Pick<Replica, 'device' | 'state' | 'putRevocation'>;
  /** whether a device is let into the room */
  readonly admits: (device: DeviceId) => boolean;
}

/**
 * The room's revocations: each device publishes its own in its log of the replica, which reaches those who were away as
 * everything else there does.
 */
export function createRevocationLedger({ room, replica, admits }: LedgerOptions): GrantServiceOptions['ledger'] {
  /** An issuer whose log is not known, or is two logs, may have taken back what it granted. */
  const isKnown = (issuer: string) => {
    const device = deviceOfDid(issuer);
    if (device === replica.device) return true;
    const view = device === undefined ? undefined : replica.state().devices[device];
    return view !== undefined && view.forked !== true && admits(view.device);
  };
  return {
    id: `tabmesh/room/${room}`,
    find(names, issuers) {
      if (!issuers.every(isKnown)) return null;
      const views = Object.values(replica.state().devices);
      return views.flatMap(({ revocations = {} }) =>
        names.flatMap((name) => (Object.hasOwn(revocations, name) ? (revocations[name] ?? []) : [])),
      );
    },
    all: () => Object.values(replica.state().devices).flatMap(({ revocations = {} }) => Object.values(revocations)),
    publish: (record) => replica.putRevocation(record),
  };
}

/** What grants name a principal by: the key of its device; a token by its relay's device and its own id. */
export function subjectOf(principal: Principal): string {
  if (principal.kind === 'device') return didOf(principal.device) ?? '';
  return `urn:tabmesh:token:${principal.issuer ?? ''}:${principal.tokenId}`;
}

const TOKEN_SUBJECT = /^urn:tabmesh:token:([^:]*):(.+)$/;

/** Who a grant is for, as the audit log names them: the other way round of {@link subjectOf}. */
export function actorOfSubject(subject: string, nameOf: (device: DeviceId) => string): AuditActor {
  const [, issuer = '', token] = TOKEN_SUBJECT.exec(subject) ?? [];
  if (token !== undefined) return { kind: 'token', id: token, name: token, ...(issuer === '' ? {} : { issuer }) };
  const device = deviceOfDid(subject);
  return device === undefined
    ? { kind: 'nobody', id: subject, name: subject }
    : { kind: 'device', id: device, name: nameOf(device) };
}
