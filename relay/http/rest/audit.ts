import type { FastifyInstance } from 'fastify';
import type { AuditQuery } from '../../../src/contracts/audit.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { AuditLog } from '../../../src/monitor/audit/log.ts';
import { MAX_AUDIT_ENTRIES } from '../../../src/monitor/audit/limits.ts';
import type { Caller } from '../auth.ts';
import { disconnectSignal } from '../disconnect.ts';

const DEFAULT_ENTRIES = 50;
const FILTERS = ['who', 'tool', 'outcome', 'trace'] as const;

/** `GET /api/audit`, newest first, and `GET /api/audit/verification`: for who may administer this relay. */
export function auditRest(app: FastifyInstance, audit: AuditLog): void {
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>('/api/audit', async (request, reply) => {
    checkAdmin(request.getDecorator<Caller>('caller'));
    const { entries, more } = await audit.read(readQuery(request.query), disconnectSignal(reply.raw));
    return await reply.send({ entries, next: more ? (entries.at(-1)?.seq ?? null) : null });
  });

  app.get('/api/audit/verification', async (request, reply) => {
    checkAdmin(request.getDecorator<Caller>('caller'));
    return await reply.send(await audit.verify(disconnectSignal(reply.raw)));
  });
}

function checkAdmin({ holder }: Caller): void {
  const { classes, tools } = holder.scope;
  if (holder.owned && tools === null && classes.includes('admin')) return;
  throw new TabmeshError('forbidden', 'this token may not read the audit log', {
    hint: 'Use the owner token of the relay.',
    details: { requiredScope: 'tabmesh:admin' },
  });
}

function readQuery(query: Readonly<Record<string, unknown>>): AuditQuery {
  const filters = FILTERS.flatMap((name) => {
    const value = query[name];
    if (value === undefined) return [];
    if (typeof value !== 'string') throw bad(name, 'expected one text');
    return [[name, value] as const];
  });
  return {
    limit: number(query, 'limit', 1, MAX_AUDIT_ENTRIES) ?? DEFAULT_ENTRIES,
    ...before(number(query, 'before', 0, Number.MAX_SAFE_INTEGER)),
    ...Object.fromEntries(filters),
  };
}

const before = (seq: number | undefined) => (seq === undefined ? {} : { before: seq });

function number(query: Readonly<Record<string, unknown>>, name: string, least: number, most: number) {
  const text = query[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw bad(name, `expected a whole number from ${least} to ${most}`);
}

function bad(path: string, message: string): TabmeshError {
  return new TabmeshError('invalid_input', `${path}: ${message}`, { details: { issues: [{ path, message }] } });
}
