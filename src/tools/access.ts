import { DEFAULT_CLASSES } from '../contracts/access.ts';
import type { CallerClass, ClassAccess } from '../contracts/approvals.ts';
import type { AccessClass, Principal } from '../contracts/tools.ts';
import { OWNER_TOKEN_ID } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { DeviceId, PeerId } from '../lib/ids.ts';

/** The peer that serves a call. */
export interface Serving {
  readonly peer: PeerId;
  readonly device: DeviceId;
}

/** `granted`: the call may run; `ask`: the person decides, unless a grant does; `closed`: only a grant opens it. */
export type AccessDecision = 'granted' | 'ask' | 'closed';

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
 * Checks that a call lies within what its token is good for: a ceiling that neither approval nor grant lifts.
 * @param now ms since the epoch
 * @throws `forbidden`; `unauthorized` when the token has expired
 */
export function checkScope(tool: string, access: AccessClass, principal: Principal, self: Serving, now: number): void {
  if (principal.kind === 'device' || isOwnerOf(self, principal)) return;
  const { classes = DEFAULT_CLASSES, tools = null, expiresAt = null } = principal.scope ?? {};
  if (expiresAt !== null && now >= expiresAt) {
    throw new TabmeshError('unauthorized', 'the token has expired', { hint: 'Make a new one in the app.' });
  }
  // its tools are those that it may call; what they call in turn is theirs to know, and lies within its classes
  const isNamed = tools === null || principal.via !== undefined || tools.includes(tool);
  if (classes.includes(access) && isNamed) return;
  throw new TabmeshError('forbidden', `the token is not good for ${tool}`, {
    hint: `It may ${classes.join(', ') || 'do nothing'}${tools === null ? '' : `, and call ${tools.join(', ')}`}. Use another token.`,
    details: { access, classes },
  });
}

/**
 * What a place does with a call of an access class: its own device's tabs may do all but administer each other; the person
 * who runs a relay may do all there by the owner token; everybody else what `settings` say for callers like that. A call
 * that came through others may do what each of them may.
 * @throws `forbidden` for administration on behalf of somebody else: no approval and no grant opens that
 */
export function decideAccess(
  tool: string,
  access: AccessClass,
  principal: Principal,
  self: Serving,
  settings: ClassAccess,
): AccessDecision {
  if (isOwnerOf(self, principal)) return 'granted';
  const here = principal.kind === 'device' && principal.device === self.device && principal.via === undefined;
  if (access === 'admin') {
    if (here && principal.peer === self.peer) return 'granted';
    throw new TabmeshError('forbidden', `${tool} administers a peer and is never run for somebody else`, {
      hint: 'Do it in the app of the peer itself, or with the owner token of the relay itself.',
      details: { access },
    });
  }
  if (here || classesOf(principal).every((caller) => settings[caller].includes(access))) return 'granted';
  return access === 'write' ? 'ask' : 'closed';
}

/** The refusal of a call that this place does not take from callers of that class. */
export function closedTo(tool: string, access: AccessClass): TabmeshError {
  return new TabmeshError('forbidden', `the device that ${tool} was called at does not let others ${access}`, {
    hint: 'Call it at another place, or ask the owner of the device for a grant.',
    details: { access },
  });
}

/** The class of callers that a principal belongs to. */
export const callerClass = (principal: Principal): CallerClass => (principal.kind === 'token' ? 'relay' : 'member');

/** Whose wishes are in a call: its principal's, and those of the members that handed it on. */
function classesOf(principal: Principal): readonly CallerClass[] {
  return principal.via === undefined ? [callerClass(principal)] : [callerClass(principal), 'member'];
}

/** A relay has no app of its own: who runs it speaks by its token, and to it alone. */
function isOwnerOf(self: Serving, principal: Principal): boolean {
  return (
    principal.kind === 'token' &&
    principal.tokenId === OWNER_TOKEN_ID &&
    principal.relay === self.peer &&
    principal.proof === undefined
  );
}

/** One string for each principal, and for each way that it comes: whose quota a call counts against, whom an answer is for. */
export function principalKey(principal: Principal): string {
  const own =
    principal.kind === 'device'
      ? `device:${principal.device}`
      : `token:${principal.issuer ?? principal.relay}:${principal.tokenId}`;
  return withVia(own, principal);
}

/** {@link principalKey} of who answers for the principal: the device that a token was made for, which makes others freely. */
export function makerKey(principal: Principal): string {
  return principal.kind === 'token' && principal.maker !== undefined
    ? withVia(`device:${principal.maker}`, principal)
    : principalKey(principal);
}

const withVia = (own: string, { via = [] }: Principal) => [own, ...via.map(({ device }) => device)].join('>');
