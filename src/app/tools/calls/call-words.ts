import type { CallTry, WatchedCall } from '../../../contracts/calls.ts';
import type { MeshPeer } from '../../../contracts/mesh.ts';
import type { Place, Principal } from '../../../contracts/tools.ts';
import type { PeerId } from '../../../lib/ids.ts';
import { visibleText } from '../../access/text/visible-text.ts';
import { formatBytes, shortenMiddle } from '../../ui/format.ts';
import type { Tone } from '../../ui/tone.ts';

export type Side = 'all' | WatchedCall['side'];
export type Outcome = 'all' | 'running' | 'done' | 'failed';

/** Which calls are shown. */
export interface CallFilter {
  readonly side: Side;
  readonly outcome: Outcome;
  /** every word must be in the tool, a name, a place, an error or the trace id */
  readonly words: string;
}

/** The names of who is here, by peer. */
export type Names = ReadonlyMap<string, string>;

/** Names by peer and by device, without the id that follows the name. */
export function namesOf(peers: readonly MeshPeer[]): Names {
  const named = peers.flatMap(({ peer, device, name, link }) => {
    const shown = link === 'self' ? 'this tab' : visibleText(name.split(' · ')[0] ?? name);
    return shown === '' ? [] : [[peer, shown] as const, [device, shown] as const];
  });
  // several tabs of one device: this one is named first
  return new Map<string, string>(named.reverse());
}

/** Who a call is for. */
export function callerName(principal: Principal, names: Names): string {
  const { via = [] } = principal;
  const own =
    principal.kind === 'token'
      ? `token “${visibleText(principal.name)}”`
      : (names.get(principal.peer) ?? names.get(principal.device) ?? shortenMiddle(principal.device));
  const through = via.map(({ device }) => ` through ${names.get(device) ?? shortenMiddle(device)}`);
  return own + through.join('');
}

/** What a place is called. */
export function placeName({ kind, peer, name }: Place, names: Names): string {
  return kind === 'self' ? 'this tab' : (names.get(peer) ?? (visibleText(name) || shortenMiddle(peer)));
}

/** From where to where a call goes. */
export function routeEnds(call: WatchedCall, names: Names): { readonly from: string; readonly to: string } {
  const from = callerName(call.principal, names);
  if (call.side === 'served') return { from, to: 'this tab' };
  const place = call.end?.route?.chosen ?? call.tries.at(-1)?.place;
  const asked = (peer: PeerId) => names.get(peer) ?? shortenMiddle(peer);
  if (place !== undefined) return { from, to: placeName(place, names) };
  return { from, to: call.asked === null ? 'nowhere yet' : asked(call.asked) };
}

/** How a call stands: a word and its colour. */
export function outcomeOf({ end }: WatchedCall): {
  readonly outcome: Exclude<Outcome, 'all'>;
  readonly word: string;
  readonly tone: Tone;
} {
  if (end === null) return { outcome: 'running', word: 'Running', tone: 'running' };
  if (end.error === null) return { outcome: 'done', word: 'Done', tone: 'direct' };
  const waits = end.error.code === 'approval_pending';
  return { outcome: 'failed', word: waits ? 'Asked' : codeWords(end.error.code), tone: waits ? 'waiting' : 'failed' };
}

/** An error code as words. */
export const codeWords = (code: string): string => code.replaceAll('_', ' ');

/** Why a place was tried. */
export const WHY_WORDS: Readonly<Record<CallTry['why'], string>> = {
  first: 'chosen',
  next: 'the next one',
  retry: 'again',
  hedge: 'beside the slow one',
};

/** The size of arguments or an answer. */
export function sizeText(size: number | null): string {
  return size === null ? '> 262 KB' : `≈ ${formatBytes(size)}`;
}

/** The calls that a filter shows, in their order. */
export function filterCalls(
  calls: readonly WatchedCall[],
  { side, outcome, words }: CallFilter,
  names: Names,
): readonly WatchedCall[] {
  const wanted = words.toLocaleLowerCase('en').split(/\s+/).filter(Boolean);
  return calls.filter((call) => {
    if (side !== 'all' && call.side !== side) return false;
    if (outcome !== 'all' && outcomeOf(call).outcome !== outcome) return false;
    if (wanted.length === 0) return true;
    const { from, to } = routeEnds(call, names);
    const tried = call.tries.map(({ place }) => placeName(place, names)).join(' ');
    const error = call.end?.error === null ? '' : codeWords(call.end?.error.code ?? '');
    const text = `${call.tool} ${from} ${to} ${tried} ${error} ${call.traceId ?? ''}`.toLocaleLowerCase('en');
    return wanted.every((word) => text.includes(word));
  });
}

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** The time of day to the millisecond. */
export const timeOfDay = (at: number): string => clock.format(at);
