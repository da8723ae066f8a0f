import { TabmeshError } from '../../src/lib/errors.ts';
import { randomId, type DeviceId } from '../../src/lib/ids.ts';
import type { StoredToken } from './file.ts';
import type { CheckedRequest } from './request.ts';

/** More than a person's clients on all devices; a member cannot fill the relay's disk with tokens. */
const MAX_TOKENS_PER_DEVICE = 32;
/** What the owner may have: scripts and services of a lab. */
const MAX_OWNER_TOKENS = 256;

/** A new token's entry, and the change that adds it. */
export function made(
  request: CheckedRequest,
  kept: Pick<StoredToken, 'room' | 'device' | 'parent' | 'hash'>,
  now: number,
): { readonly id: string; readonly add: (tokens: readonly StoredToken[]) => readonly StoredToken[] } {
  const { name, classes, tools, perMinute, expiresAt } = request;
  const entry: StoredToken = {
    id: randomId(),
    name,
    ...kept,
    classes,
    tools,
    perMinute,
    createdAt: new Date(now).toISOString(),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
  return {
    id: entry.id,
    add(tokens) {
      // nobody can use those any more, and a list that only grows is read by nobody
      const current = tokens.filter((token) => token.expiresAt === null || Date.parse(token.expiresAt) > now);
      checkNumber(current, entry.device);
      return [...current, entry];
    },
  };
}

/**
 * The tokens without one of them and those that it has made.
 * @param device whose it must be; anybody's when absent
 * @throws `not_found`
 */
export function without(
  tokens: readonly StoredToken[],
  id: string,
  device: DeviceId | undefined,
): readonly StoredToken[] {
  const first = tokens.find((token) => token.id === id && (device === undefined || token.device === device));
  if (first === undefined) throw new TabmeshError('not_found', 'there is no such token');
  const gone = new Set([id]);
  // makers come before what they make
  for (const token of tokens) if (token.parent !== null && gone.has(token.parent)) gone.add(token.id);
  return tokens.filter((token) => !gone.has(token.id));
}

function checkNumber(tokens: readonly StoredToken[], device: DeviceId | null): void {
  const limit = device === null ? MAX_OWNER_TOKENS : MAX_TOKENS_PER_DEVICE;
  if (tokens.filter((token) => token.device === device).length < limit) return;
  throw new TabmeshError('rate_limited', `there are ${limit} tokens already`, {
    hint: 'Take back one that is not needed any more.',
  });
}
