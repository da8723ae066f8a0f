import type { Capability, GrantClaims, GrantListing } from '../../../contracts/grants.ts';
import { formatAbsolute, plural } from '../../ui/format.ts';
import type { Tone } from '../../ui/tone.ts';
import { visibleText } from '../text/visible-text.ts';

const MS = 1000;
const TOOLS = 'tools/';

/** Names of the tools that capabilities are about; `all tools` for a pattern that covers them. */
function grantedTools(capabilities: readonly Capability[]): readonly string[] {
  const names = capabilities.flatMap(({ ability }) => {
    if (ability === '*' || ability === `${TOOLS}*`) return ['all tools'];
    return ability.startsWith(TOOLS) ? [visibleText(ability.slice(TOOLS.length))] : [];
  });
  return [...new Set(names)];
}

/** How many calls in all a grant allows; null for any number. */
function grantedCalls(capabilities: readonly Capability[]): number | null {
  const counts = capabilities.map(({ budget }) => budget?.['calls']).filter((n) => typeof n === 'number');
  return counts.length === 0 ? null : Math.min(...counts);
}

/** The arguments that calls must have; null when they are free. */
function grantedArgs(capabilities: readonly Capability[]): string | null {
  const args = capabilities.find((capability) => capability.args !== undefined)?.args;
  return args === undefined ? null : JSON.stringify(args);
}

/** What a grant allows and whom, in a sentence or two, for the person who gives it or has been given it. */
export interface GrantSentence {
  readonly audience: string;
  /** `this device`, or a name */
  readonly place: string;
  readonly tools: readonly string[];
  readonly calls: number | null;
  readonly args: string | null;
  /** ms since the epoch; null: for ever */
  readonly until: number | null;
  readonly passOn: boolean;
}

export function grantSentence(grant: GrantSentence): string {
  const { audience, place, tools, calls, args, until, passOn } = grant;
  const what = tools.length === 0 ? 'nothing yet' : listText(tools);
  const often = calls === null ? 'as often as it likes' : calls === 1 ? 'once' : `${plural(calls, 'time')} in all`;
  const end = until === null ? 'until it is revoked' : `until ${formatAbsolute(until)}`;
  const with_ = args === null ? '' : ` with the arguments ${args}`;
  const pass = passOn ? 'It may pass this on.' : 'It may not pass this on.';
  return `${capital(audience)} may call ${what} on ${place}${with_}, ${often}, ${end}, without a question asked. ${pass}`;
}

/** The same of a token's claims. */
export function claimsSentence(claims: GrantClaims, audience: string, place: string): string {
  const { capabilities, expiry, canDelegate, maxDepth } = claims;
  return grantSentence({
    audience,
    place,
    tools: grantedTools(capabilities),
    calls: grantedCalls(capabilities),
    args: grantedArgs(capabilities),
    until: expiry === null ? null : expiry * MS,
    passOn: canDelegate !== false && maxDepth !== 0,
  });
}

/** How a grant stands: a grant whose calls are used up allows nothing more, though its time is not over. */
export function grantState({ state, used, claims }: GrantListing): { readonly label: string; readonly tone: Tone } {
  const calls = grantedCalls(claims.capabilities);
  if (state === 'revoked') return { label: 'Revoked', tone: 'failed' };
  if (state === 'expired') return { label: 'Expired', tone: 'neutral' };
  if (calls !== null && used >= calls) return { label: 'Used up', tone: 'neutral' };
  return { label: 'Valid', tone: 'direct' };
}

/** `2 of 10 calls used`, or `2 calls`. */
export function usesText({ used, claims }: Pick<GrantListing, 'used' | 'claims'>): string {
  const calls = grantedCalls(claims.capabilities);
  return calls === null ? plural(used, 'call') : `${String(used)} of ${plural(calls, 'call')} used`;
}

function listText(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
