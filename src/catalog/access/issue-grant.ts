import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { chain, claims, claimsToWire, name } from './grants.ts';

/** A signature and a write. */
const TIMEOUT_MS = 10_000;
const MAX_TOOLS = 50;
const DAY_SECONDS = 24 * 3600;
const MAX_DAYS = 90;
const MAX_PASSED_ON = 7;
const SECOND_MS = 1000;

/** Issue a delegation token. */
export const issueGrant = defineTool({
  name: 'issue_grant',
  category: 'access',
  title: 'Issue a grant',
  description:
    'Signs a delegation token that lets a device or token call tools of this relay that ask for approval otherwise, or passes part ' +
    'of a grant on that this relay holds. Hand the tokens to who it is for: a call carries them in _meta["tabmesh/grants"]. For the ' +
    'owner of the relay.',
  access: 'admin',
  runtime: 'relay',
  local: true,
  idempotent: false,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    audience: name('id or did:key of a device, or urn:tabmesh:token:RELAY-DEVICE:TOKEN-ID'),
    tools: z
      .array(name('name of a tool'))
      .check(z.minLength(1), z.maxLength(MAX_TOOLS), z.describe('the tools that it allows')),
    lifetime_seconds: wholeNumber(60, MAX_DAYS * DAY_SECONDS, DAY_SECONDS, 'how long it is good for'),
    calls: z.optional(z.int().check(z.gte(1), z.describe('calls in all; any number when absent'))),
    args: z.optional(
      z.record(z.string(), z.unknown()).check(z.describe('arguments that calls must have as they are here')),
    ),
    max_depth: wholeNumber(0, MAX_PASSED_ON, 0, 'times that it may be passed on'),
    parents: z.optional(chain('a grant that this relay holds, root first, to pass part of it on')),
  }),
  output: z.strictObject({ cid: z.string(), tokens: z.array(z.string()), claims }),
  async run({ ports }, { audience, tools, lifetime_seconds, calls, args, max_depth, parents }) {
    const port = await ports.access.grants();
    const issued = await port.issue({
      audience,
      tools,
      lifetimeMs: lifetime_seconds * SECOND_MS,
      calls: calls ?? null,
      args: args ?? null,
      maxDepth: max_depth,
      parents: parents ?? null,
    });
    return { cid: issued.cid, tokens: [...issued.tokens], claims: claimsToWire(issued.claims) };
  },
});
