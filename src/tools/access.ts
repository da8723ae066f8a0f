import type { AccessClass, Principal } from '../contracts/tools.ts';
import { OWNER_TOKEN_ID } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { DeviceId, PeerId } from '../lib/ids.ts';

/** The peer that serves a call. */
export interface Serving {
  readonly peer: PeerId;
  readonly device: DeviceId;
}

/**
 * Checks that there is somebody on whose behalf the call is made.
 * @param principal as the hop that authenticated the caller attached it; anything at all when that hop is faulty
 * @throws `unauthorized`
 */
export function checkPrincipal(principal: Principal | null | undefined): void {
  if (principal?.kind === 'device' && principal.device && principal.peer) return;
  if (principal?.kind === 'token' && principal.tokenId && principal.relay) return;
  throw new TabmeshError('unauthorized', 'the call does not say on whose behalf it is made', {
    hint: 'Join the room, or send a token of a relay that is a member.',
  });
}

/**
 * Checks a principal against a tool's access class: members and tokens read and compute; a device's own tabs also
 * write; administration stays within the peer itself: it is done in its own app, or with the owner token of a relay.
 * @throws `forbidden`
 */
export function checkAccess(tool: string, access: AccessClass, principal: Principal, self: Serving): void {
  if (access === 'read' || access === 'compute') return;
  const sameDevice = principal.kind === 'device' && principal.device === self.device;
  if (access === 'write' && sameDevice) return;
  if (access === 'admin' && sameDevice && principal.peer === self.peer) return;
  // a relay has no app of its own: who runs it speaks by its token, and to it alone
  if (access === 'admin' && isOwnerOf(self, principal)) return;
  throw access === 'write'
    ? new TabmeshError('forbidden', `${tool} changes what another device keeps`, {
        hint: 'Do it in the app on the device that keeps the data.',
        details: { access },
      })
    : new TabmeshError('forbidden', `${tool} administers a peer and is never run for somebody else`, {
        hint: 'Do it in the app of the peer itself, or with the owner token of the relay itself.',
        details: { access },
      });
}

function isOwnerOf(self: Serving, principal: Principal): boolean {
  return principal.kind === 'token' && principal.tokenId === OWNER_TOKEN_ID && principal.relay === self.peer;
}

/** One string for each principal: whose quota a call counts against. */
export function principalKey(principal: Principal): string {
  return principal.kind === 'device' ? `device:${principal.device}` : `token:${principal.relay}:${principal.tokenId}`;
}
