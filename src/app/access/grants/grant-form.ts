import type { GrantRequest } from '../../../contracts/grants.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a grant may be good for; revocations reach who was away late, so there is no never. */
export const GRANT_LIFETIMES = [
  { value: 'hour', label: '1 hour', ms: HOUR_MS },
  { value: 'day', label: '1 day', ms: DAY_MS },
  { value: 'week', label: '7 days', ms: 7 * DAY_MS },
  { value: 'month', label: '30 days', ms: 30 * DAY_MS },
  { value: 'quarter', label: '90 days', ms: 90 * DAY_MS },
] as const;

export type GrantLifetime = (typeof GRANT_LIFETIMES)[number]['value'];

/** In the place of a device or token: an address that is typed in. */
export const OTHER = 'other';

/** The form of a new grant as it is filled in. */
export interface GrantDraft {
  /** a device's id, a token's urn, or {@link OTHER}; empty before it is chosen */
  audience: string;
  /** the did or urn, with {@link OTHER} */
  other: string;
  tools: string[];
  lifetime: GrantLifetime;
  /** as typed; empty for any number */
  calls: string;
  passOn: boolean;
  /** JSON as typed; empty for free arguments */
  args: string;
}

export type GrantErrors = Partial<Record<'audience' | 'other' | 'tools' | 'calls' | 'args', string>>;

/** A draft with the safe choices: one call within a day, not to be passed on. */
export function newGrantDraft(): GrantDraft {
  return { audience: '', other: '', tools: [], lifetime: 'day', calls: '1', passOn: false, args: '' };
}

/** How long the chosen lifetime is, ms. */
export function lifetimeMs({ lifetime }: Pick<GrantDraft, 'lifetime'>): number {
  return GRANT_LIFETIMES.find(({ value }) => value === lifetime)?.ms ?? HOUR_MS;
}

/** Calls as typed: null for any number, NaN for what is none. */
export function readCalls({ calls }: Pick<GrantDraft, 'calls'>): number | null {
  const text = calls.trim();
  if (text === '') return null;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : NaN;
}

/** Reads the form. */
export function readGrantDraft(
  draft: GrantDraft,
): { readonly request: GrantRequest } | { readonly wrong: GrantErrors } {
  const other = draft.other.trim();
  const calls = readCalls(draft);
  const args = readArgs(draft.args);
  const wrong: GrantErrors = {
    ...(draft.audience === '' ? { audience: 'Choose who may use it.' } : {}),
    ...(draft.audience === OTHER && !/^(did:key:z|urn:)\S+$/.test(other)
      ? { other: 'A did:key of a device, such as did:key:z6Mk…, or a urn of a token.' }
      : {}),
    ...(draft.tools.length === 0 ? { tools: 'Choose at least one tool.' } : {}),
    ...(Number.isNaN(calls) ? { calls: 'A whole number from 1, or nothing for as many as they like.' } : {}),
    ...(args === 'wrong' ? { args: 'A JSON object with the arguments, such as {"data": "bafy…"}.' } : {}),
  };
  if (Object.keys(wrong).length > 0 || args === 'wrong') return { wrong };
  return {
    request: {
      audience: draft.audience === OTHER ? other : draft.audience,
      tools: draft.tools,
      lifetimeMs: lifetimeMs(draft),
      calls,
      args,
      maxDepth: draft.passOn ? 1 : 0,
      parents: null,
    },
  };
}

function readArgs(text: string): Readonly<Record<string, unknown>> | null | 'wrong' {
  if (text.trim() === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : 'wrong';
  } catch {
    return 'wrong';
  }
}
