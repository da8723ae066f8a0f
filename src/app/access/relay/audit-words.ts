import type { AuditEntry, AuditEvent, AuditQuery, AuditVerdict } from '../../../contracts/access.ts';
import type { RoomMember } from '../../../contracts/mesh.ts';
import { formatCount, plural, shortenMiddle } from '../../ui/format.ts';

/** Entries of one page: what fits two screens. */
const AUDIT_PAGE = 50;

const EVENTS: Readonly<Record<AuditEvent['event'], string>> = {
  call: 'Call',
  refused: 'Refused at the door',
  'token.created': 'Token created',
  'token.revoked': 'Token revoked',
  'relay.started': 'Relay started',
  'relay.stopped': 'Relay stopped',
  'audit.note': 'About this log',
};

/** What happened, in words; by its own name what only a newer relay knows. */
export function eventWords({ event }: Pick<AuditEntry, 'event'>): string {
  return Object.hasOwn(EVENTS, event) ? EVENTS[event] : event;
}

/** Who did it: a member by its name, another device by its id, shortened. */
export function whoWords(
  { who }: Pick<AuditEntry, 'who'>,
  members: readonly Pick<RoomMember, 'device' | 'name'>[],
): string {
  if (who.kind !== 'device') return who.name;
  return members.find(({ device }) => device === who.id)?.name ?? shortenMiddle(who.name);
}

/** What it was about: a tool, a route, or a token by its name without the id before it. */
export function whatWords({ event, what }: Pick<AuditEntry, 'event' | 'what'>): string {
  if (event === 'token.created' || event === 'token.revoked') return what.slice(what.indexOf(' ') + 1);
  return event === 'relay.started' || event === 'relay.stopped' ? shortenMiddle(what) : what;
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
 * Reads the filters, which the relay compares exactly.
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
