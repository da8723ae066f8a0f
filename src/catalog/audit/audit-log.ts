import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { auditEntry, entryToWire } from './entry.ts';

/** Reads at most the files that a relay keeps, some of them whole. */
const TIMEOUT_MS = 30_000;
/** As one page of a table; `before` turns to the next. */
const MAX_ENTRIES = 500;
const DEFAULT_ENTRIES = 50;
const MAX_FILTER = 200;

const filter = (description: string) => z.optional(z.string().check(z.maxLength(MAX_FILTER), z.describe(description)));

/** What was done at a place, by whom. */
export const auditLog = defineTool({
  name: 'audit_log',
  category: 'audit',
  title: 'Audit log',
  description:
    'Lists what was asked of the peer that is asked, newest first: who called which tool, how long it took and how it ended; what was ' +
    'approved, granted and taken back there; at a relay also calls over MCP and REST, tokens, and requests refused. Arguments are ' +
    'shown only as a keyed hash, unless the place keeps them. For the person at a device, and the owner of a relay.',
  access: 'admin',
  runtime: 'auto',
  local: true,
  schemaVersion: '1.1',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    limit: wholeNumber(1, MAX_ENTRIES, DEFAULT_ENTRIES, 'entries at most'),
    before: z.optional(z.int().check(z.gte(0), z.describe('entries with a lower seq only: `next` of the page before'))),
    who: filter('id or name of a token or device'),
    tool: filter('name of a tool'),
    outcome: filter('ok, or an error code'),
    trace: filter('W3C trace id'),
  }),
  output: z.strictObject({ entries: z.array(auditEntry), next: z.nullable(z.int()) }),
  async run({ ports, signal }, { limit, before, who, tool, outcome, trace }) {
    const query = { limit, before, who, tool, outcome, trace };
    const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
    const { entries, more } = await ports.audit.read({ ...given, limit }, signal);
    return {
      entries: entries.map(entryToWire),
      next: more ? (entries.at(-1)?.seq ?? null) : null,
    };
  },
});
