import type { TokenScope, ToolMetadata } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';

/** Prefix of the OAuth scopes that stand for access classes: `tabmesh:read`. */
export const SCOPE_PREFIX = 'tabmesh:';

/** True for the name of a scope of ours. */
export const isScope = (value: unknown): value is string =>
  typeof value === 'string' && /^tabmesh:[a-z]{1,16}$/.test(value);

/** Whether a token may call a tool; what lists show. @param now ms since the epoch */
export function isInScope(
  { classes, tools, expiresAt }: TokenScope,
  { name, access }: Pick<ToolMetadata, 'name' | 'access'>,
  now: number,
): boolean {
  return (
    classes.includes(access) && (tools === null || tools.includes(name)) && (expiresAt === null || now < expiresAt)
  );
}

/**
 * Refuses a call that a token is not good for, before anything leaves the relay.
 * @param tool as the room knows it; undefined for one that it does not know
 * @param now ms since the epoch
 * @throws `unauthorized` for an expired token, `forbidden` with `details.requiredScope` for one that is too narrow
 */
export function checkScope(
  { classes, tools, expiresAt }: TokenScope,
  name: string,
  tool: Pick<ToolMetadata, 'access'> | undefined,
  now: number,
): void {
  if (expiresAt !== null && now >= expiresAt) throw expired();
  if (tools !== null && !tools.includes(name)) {
    throw new TabmeshError('forbidden', `this token is not for the tool ${name.slice(0, 64)}`, {
      hint: 'Use a token that names it, or one for all tools.',
      details: { requiredScope: tool === undefined ? null : SCOPE_PREFIX + tool.access },
    });
  }
  // the router says that there is no such tool
  if (tool === undefined || classes.includes(tool.access)) return;
  throw new TabmeshError('forbidden', `this token may not call ${name}, which is of the class ${tool.access}`, {
    hint: `Use a token for ${tool.access}.`,
    details: { requiredScope: SCOPE_PREFIX + tool.access },
  });
}

/**
 * Refuses a token that may not read all of the room: one without that class, or for some tools only.
 * @throws `forbidden`
 */
export function checkReads({ classes, tools }: TokenScope): void {
  if (classes.includes('read') && tools === null) return;
  throw new TabmeshError('forbidden', 'this token may not read the room', {
    hint: 'Use a token for read and for all tools.',
    details: { requiredScope: `${SCOPE_PREFIX}read` },
  });
}

/** The refusal of a token whose time is over. */
export function expired(): TabmeshError {
  return new TabmeshError('unauthorized', 'the token has expired', {
    hint: 'Make a new one.',
    details: { invalidToken: true },
  });
}
