import { DOCTOR_CHECKS } from '../../contracts/doctor.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { count } from '../fields.ts';

/** An examination ends within 20 s; one that another is before waits for it. */
const TIMEOUT_MS = 45_000;

const check = z.strictObject({
  id: z.enum(DOCTOR_CHECKS.map(({ id }) => id)),
  title: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']).check(z.describe('skipped: does not apply to this peer')),
  reason: z.string().check(z.describe('what was found')),
  advice: z.nullable(z.string()).check(z.describe('what to do about it')),
  details: z.record(z.string(), z.unknown()).check(z.describe('the same for programs; differs by check')),
  took_ms: count('milliseconds'),
});

/** Examine the connection. */
export const connectionDoctor = defineTool({
  name: 'connection_doctor',
  category: 'mesh',
  title: 'Check the connection',
  description:
    'Examines step by step how the peer that answers is connected: network, page, relays over HTTP and WebSocket, reservation, ' +
    'members, ICE candidates, direct or relayed links and what is left on them, clock, storage, permissions. Each check is ' +
    'ok, warning, failed or skipped, with the reason and what to do. Use it when peers do not find each other, links are ' +
    'slow, or it says connected but nothing happens. Takes up to 20 seconds; the report holds no secrets.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  openWorld: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({
    status: z.enum(['ok', 'warning', 'failed']).check(z.describe('the worst of the checks')),
    kind: z.enum(['tab', 'relay']).check(z.describe('of the peer that was examined')),
    started_at: z.int().check(z.describe('milliseconds since the epoch')),
    took_ms: count('milliseconds'),
    checks: z.array(check),
  }),
  async run({ ports, signal, progress }) {
    let done = 0;
    const { startedAt, tookMs, checks, status, kind } = await ports.doctor.examine({
      signal,
      onCheck: (one) =>
        progress({ progress: ++done, total: DOCTOR_CHECKS.length, message: `${one.title}: ${one.status}` }),
    });
    const wire = checks.map(({ tookMs: ms, details, ...same }) => ({ ...same, details: { ...details }, took_ms: ms }));
    return { status, kind, started_at: startedAt, took_ms: tookMs, checks: wire };
  },
});
