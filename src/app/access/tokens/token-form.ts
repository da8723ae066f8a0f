import { DEFAULT_CLASSES, type TokenRequest } from '../../../contracts/access.ts';
import type { AccessClass } from '../../../contracts/tools.ts';
import type { WireError } from '../../../lib/errors.ts';

const DAY_MS = 24 * 3600_000;
/** The relay's own bound: the fastest that a minute's rate can mean anything over. */
const MAX_PER_MINUTE = 1_000_000;

/** How long a token may live. One that is forgotten should end by itself, so the choice of never is the last. */
export const LIFETIMES = [
  { value: 'day', label: '1 day', ms: DAY_MS },
  { value: 'week', label: '7 days', ms: 7 * DAY_MS },
  { value: 'month', label: '30 days', ms: 30 * DAY_MS },
  { value: 'quarter', label: '90 days', ms: 90 * DAY_MS },
  { value: 'year', label: '1 year', ms: 365 * DAY_MS },
  { value: 'never', label: 'Until it is revoked', ms: null },
] as const;

export type Lifetime = (typeof LIFETIMES)[number]['value'];

/** The form of a new token as it is filled in. */
export interface TokenDraft {
  name: string;
  classes: AccessClass[];
  /** false: all tools of the classes */
  narrow: boolean;
  tools: string[];
  /** as typed; empty for the relay's own limit */
  perMinute: string;
  lifetime: Lifetime;
}

/** What is wrong with each field of the request. */
export type TokenErrors = Partial<Record<keyof TokenRequest, string>>;

/** A draft with the safe choices: what reads and computes, for a season. */
export function newTokenDraft(): TokenDraft {
  return { name: '', classes: [...DEFAULT_CLASSES], narrow: false, tools: [], perMinute: '', lifetime: 'quarter' };
}

/**
 * Reads the form.
 * @param now ms since the epoch
 */
export function readTokenDraft(
  draft: TokenDraft,
  now: number,
): { readonly request: TokenRequest } | { readonly wrong: TokenErrors } {
  const rate = draft.perMinute.trim();
  const perMinute = rate === '' ? null : /^\d{1,7}$/.test(rate) ? Number(rate) : NaN;
  const wrong: TokenErrors = {
    ...(draft.classes.length === 0
      ? { classes: 'Choose at least one: a token that may do nothing is of no use.' }
      : {}),
    ...(draft.narrow && draft.tools.length === 0 ? { tools: 'Choose at least one tool, or allow all of them.' } : {}),
    ...(perMinute === null || (perMinute >= 1 && perMinute <= MAX_PER_MINUTE)
      ? {}
      : { perMinute: 'A whole number of calls from 1 to 1,000,000, or nothing for the relay’s own limit.' }),
  };
  if (Object.keys(wrong).length > 0) return { wrong };
  const lifetime = LIFETIMES.find(({ value }) => value === draft.lifetime)?.ms ?? null;
  const name = draft.name.trim();
  return {
    request: {
      name: name === '' ? 'AI client' : name,
      classes: draft.classes,
      tools: draft.narrow ? draft.tools : null,
      perMinute,
      expiresAt: lifetime === null ? null : now + lifetime,
    },
  };
}

const FIELDS = ['name', 'classes', 'tools', 'perMinute', 'expiresAt'] as const;

/** What a relay found wrong with the fields of a request; empty when its error is about something else. */
export function fieldErrors({ details }: WireError): TokenErrors {
  const issues = Array.isArray(details['issues']) ? (details['issues'] as unknown[]) : [];
  const found: TokenErrors = {};
  for (const issue of issues) {
    const { path, message } = (issue ?? {}) as { readonly path?: unknown; readonly message?: unknown };
    const field = FIELDS.find((name) => name === path);
    if (field !== undefined && typeof message === 'string') found[field] = message;
  }
  return found;
}
