import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { auditOf } from './port.ts';

/** Reads at most the files that a relay keeps, some of them whole. */
const TIMEOUT_MS = 30_000;
/** As one page of a table; `before` turns to the next. */
const MAX_ENTRIES = 500;
const DEFAULT_ENTRIES = 50;
const MAX_FILTER = 200;

const filter = (description: string) => z.optional(z.string().check(z.maxLength(MAX_FILTER), z.describe(description)));

const entry = z.strictObject({
  seq: z.int(),
  at: z.string().check(z.describe('ISO 8601')),
  event: z.string(),
  who: z.strictObject({ kind: z.string(), id: z.string(), name: z.string() }),
  what: z.string().check(z.describe('the tool, the token, or the route')),
  where: z.nullable(z.strictObject({ peer: z.string(), name: z.string() })),
  took_ms: z.nullable(z.number()),
  outcome: z.string().check(z.describe('ok, or the error code')),
  args_hmac: z.nullable(z.string()).check(z.describe('the same for the same arguments; says nothing about them')),
  args: z.optional(z.unknown()),
  trace: z.nullable(z.string()),
  hash: z.string(),
});

/** What was done at a relay, by whom. */
export const auditLog = defineTool({
  name: 'audit_log',
  category: 'audit',
  title: 'Audit log',
  description:
    'Lists what was done at a relay over MCP and REST, newest first: who called which tool, where it ran, how long it took and how ' +
    'it ended; tokens made and taken back; requests refused. Arguments are shown only as a keyed hash, unless the relay keeps them. ' +
    'For the owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    limit: wholeNumber(1, MAX_ENTRIES, DEFAULT_ENTRIES, 'entries at most'),
    before: z.optional(z.int().check(z.gte(0), z.describe('entries with a lower seq only: `next` of the page before'))),
    who: filter('id or name of a token'),
    tool: filter('name of a tool'),
    outcome: filter('ok, or an error code'),
    trace: filter('W3C trace id'),
  }),
  output: z.strictObject({ entries: z.array(entry), next: z.nullable(z.int()) }),
  async run({ ports, signal }, { limit, before, who, tool, outcome, trace }) {
    const query = { limit, before, who, tool, outcome, trace };
    const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
    const { entries, more } = await auditOf(ports).read({ ...given, limit }, signal);
    return {
      entries: entries.map(
        ({ seq, at, event, who: actor, what, where, tookMs, outcome: end, argsHmac, args, trace: id, hash }) => ({
          seq,
          at,
          event,
          who: actor,
          what,
          where,
          took_ms: tookMs,
          outcome: end,
          args_hmac: argsHmac,
          ...(args === undefined ? {} : { args }),
          trace: id,
          hash,
        }),
      ),
      next: more ? (entries.at(-1)?.seq ?? null) : null,
    };
  },
});
