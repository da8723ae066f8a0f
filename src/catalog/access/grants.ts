import type { GrantClaims } from '../../contracts/grants.ts';
import * as z from '../../tools/zod.ts';

/** A chain of the longest kind. */
const MAX_CHAIN = 8;
/** As long as a token may be; see `src/tools/grants/limits.ts`. */
const MAX_TOKEN = 16 * 1024;
const MAX_TEXT = 512;

/** Tokens as an argument: compact text, JSON text, or the object itself. */
export const chain = (description: string) =>
  z
    .array(z.union([z.string().check(z.maxLength(MAX_TOKEN)), z.record(z.string(), z.unknown())]))
    .check(z.minLength(1), z.maxLength(MAX_CHAIN), z.describe(description));

/** A CID, did, urn or device id as an argument. */
export const name = (description: string) =>
  z.string().check(z.minLength(1), z.maxLength(MAX_TEXT), z.describe(description));

export const claims = z.strictObject({
  issuer: z.string(),
  audience: z.string(),
  capabilities: z.array(
    z.strictObject({
      resource: z.string(),
      ability: z.string(),
      budget: z.optional(z.record(z.string(), z.union([z.number(), z.string()]))),
      args: z.optional(z.record(z.string(), z.unknown())),
    }),
  ),
  not_before: z.nullable(z.string()),
  expires_at: z.nullable(z.string()),
  can_delegate: z.nullable(z.boolean()),
  max_depth: z.nullable(z.number()),
});

export function claimsToWire(grant: GrantClaims): z.input<typeof claims> {
  const { issuer, audience, capabilities, notBefore, expiry, canDelegate, maxDepth } = grant;
  return {
    issuer,
    audience,
    capabilities: capabilities.map(({ budget, args, ...what }) => ({
      ...what,
      ...(budget === undefined ? {} : { budget: { ...budget } }),
      ...(args === undefined ? {} : { args: { ...args } }),
    })),
    not_before: isoTime(notBefore),
    expires_at: isoTime(expiry),
    can_delegate: canDelegate,
    max_depth: maxDepth,
  };
}

/** Tokens may name times that no calendar has. */
const LAST_SECOND = 8.64e12;
const isoTime = (seconds: number | null): string | null =>
  seconds === null || seconds > LAST_SECOND ? null : new Date(seconds * 1000).toISOString();
