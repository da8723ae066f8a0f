import type { AuditActor, AuditEntry, AuditEventName, AuditQuery, AuditVerdict } from '../../../contracts/audit.ts';
import type { RoomMember } from '../../../contracts/mesh.ts';
import { formatCount, plural, shortenMiddle } from '../../ui/format.ts';

/** Entries of one page: what fits two screens. */
const AUDIT_PAGE = 50;

const EVENTS: Readonly<Record<AuditEventName, string>> = {
  call: 'Call',
  served: 'Served',
  refused: 'Refused at the door',
  'token.created': 'Token created',
  'token.revoked': 'Token revoked',
  'approval.once': 'Allowed once',
  'approval.always': 'Allowed always',
  'approval.no': 'Not allowed',
  'approval.revoked': 'Answer taken back',
  'access.changed': 'Access changed',
  'grant.issued': 'Grant issued',
  'grant.revoked': 'Grant revoked',
  'definition.accepted': 'Definition accepted',
  'definition.refused': 'Definition refused',
  'definition.forgotten': 'Pin forgotten',
  'relay.started': 'Relay started',
  'relay.stopped': 'Relay stopped',
  'audit.note': 'About this log',
};

/** What happened, in words; by its own name what only a newer relay knows. */
export function eventWords({ event }: Pick<AuditEntry, 'event'>): string {
  return Object.hasOwn(EVENTS, event) ? EVENTS[event] : event;
}

/** Who did it: a member by its name, another device by the name it had, or by its id, shortened; and who handed it on. */
export function whoWords(who: AuditActor, members: readonly Pick<RoomMember, 'device' | 'name'>[]): string {
  const deviceWords = (id: string, name: string) =>
    members.find(({ device }) => device === id)?.name ?? (name === id ? shortenMiddle(id) : name);
  const own = who.kind === 'device' ? deviceWords(who.id, who.name) : who.name;
  return own + (who.via ?? []).map((id) => ` through ${deviceWords(id, id)}`).join('');
}

/** Events whose `what` is an id that nobody reads. */
const IDS: ReadonlySet<AuditEventName> = new Set(['relay.started', 'relay.stopped', 'grant.issued', 'grant.revoked']);
/** Events whose `what` is an id, a space, and a name. */
const NAMED: ReadonlySet<AuditEventName> = new Set([
  'token.created',
  'token.revoked',
  'definition.accepted',
  'definition.refused',
  'definition.forgotten',
]);

/** What it was about: a tool, a route, or what has an id by its name without it; and how many times. */
export function whatWords({ event, what, calls }: Pick<AuditEntry, 'event' | 'what' | 'calls'>): string {
  if (NAMED.has(event)) return what.slice(what.indexOf(' ') + 1);
  if (IDS.has(event)) return shortenMiddle(what);
  return calls === undefined ? what : `${what} × ${formatCount(calls)}`;
}

/** The filters as they are filled in. */
export interface AuditFilter {
  readonly who: string;
  readonly tool: string;
  readonly outcome: string;
  readonly trace: string;
}

export const NO_FILTER: AuditFilter = { who: '', tool: '', outcome: '', trace: '' };

/** Outcomes worth looking for; the log itself may have any error code. */
export const OUTCOMES = [
  'ok',
  'unauthorized',
  'forbidden',
  'approval_pending',
  'rate_limited',
  'invalid_input',
  'unknown_tool',
  'conflict',
  'no_place',
  'peer_unreachable',
  'tool_failed',
  'timeout',
  'cancelled',
  'internal',
] as const;

/**
 * Reads the filters, which are compared exactly.
 * @param before entries before this number; null for the newest
 */
export function readFilter(
  filter: AuditFilter,
  before: number | null,
): { readonly query: AuditQuery } | { readonly wrong: string } {
  const trace = filter.trace.trim().toLowerCase();
  if (trace !== '' && !/^[0-9a-f]{32}$/.test(trace)) return { wrong: 'A trace id has 32 hexadecimal digits.' };
  const given = { who: filter.who.trim(), tool: filter.tool.trim(), outcome: filter.outcome, trace };
  return {
    query: {
      limit: AUDIT_PAGE,
      ...(before === null ? {} : { before }),
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')),
    },
  };
}

/** What a check of the chain has found, in a sentence. */
export function verdictText({ ok, entries, first, last, broken }: AuditVerdict): string {
  if (broken !== null) {
    return `The chain is broken in ${broken.file}, line ${formatCount(broken.line)}: ${broken.reason}. What comes before that line is whole.`;
  }
  if (!ok) return 'The chain is not whole.';
  if (first === null || last === null) return 'The log has no entries.';
  return `The chain is whole: ${plural(entries, 'entry', 'entries')}, number ${formatCount(first)} to ${formatCount(last)}.`;
}
