import type { AuditEntry } from '../../contracts/audit.ts';
import * as z from '../../tools/zod.ts';

const actor = z.strictObject({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  issuer: z.optional(z.string()).check(z.describe('the device of the relay that vouches for a token')),
  via: z.optional(z.array(z.string())).check(z.describe('devices that handed the call on')),
});

/** A line of an audit log. */
export const auditEntry = z.strictObject({
  seq: z.int(),
  at: z.string().check(z.describe('ISO 8601')),
  event: z.string(),
  who: actor,
  what: z.string().check(z.describe('the tool, the token, the grant, the definition, or the route')),
  where: z.nullable(z.strictObject({ peer: z.string(), name: z.string() })),
  took_ms: z.nullable(z.number()),
  outcome: z.string().check(z.describe('ok, or the error code')),
  args_hmac: z.nullable(z.string()).check(z.describe('the same for the same arguments; says nothing about them')),
  args: z.optional(z.unknown()),
  trace: z.nullable(z.string()),
  about: z.optional(actor).check(z.describe('whom a decision is about')),
  calls: z.optional(z.int()).check(z.describe('how many calls alike the entry stands for; absent: one')),
  hash: z.string(),
});

type Wire = z.output<typeof auditEntry>;

/** The wire form of an entry. */
export function entryToWire(entry: AuditEntry): Wire {
  const { v: _, prev: __, tookMs, argsHmac, who, about, ...rest } = entry;
  return {
    ...rest,
    who: actorToWire(who),
    took_ms: tookMs,
    args_hmac: argsHmac,
    ...(about === undefined ? {} : { about: actorToWire(about) }),
  };
}

const actorToWire = ({ via, ...actor }: AuditEntry['who']): Wire['who'] => ({
  ...actor,
  ...(via === undefined ? {} : { via: [...via] }),
});
