import type { AuditActor } from '../../contracts/audit.ts';
import type { Principal } from '../../contracts/tools.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';

/** What a device calls itself. */
export type NameOf = (device: DeviceId) => string;

/** Who a call is for, as the audit log names them. */
export function actorOf(principal: Principal, nameOf: NameOf): AuditActor {
  const { via = [] } = principal;
  const through = via.length === 0 ? {} : { via: via.map(({ device }) => device) };
  if (principal.kind === 'device') {
    return { kind: 'device', id: principal.device, name: nameOf(principal.device), ...through };
  }
  const { tokenId, name, issuer } = principal;
  return { kind: 'token', id: tokenId, name, ...(issuer === undefined ? {} : { issuer }), ...through };
}

/**
 * Whether a call comes from this very process: from its own app, or from its own HTTP clients, whose calls their gate has
 * written down.
 */
export function isOwnCall(principal: Principal, self: PeerId): boolean {
  if (principal.via !== undefined) return false;
  return principal.kind === 'device'
    ? principal.peer === self
    : principal.relay === self && principal.proof === undefined;
}
