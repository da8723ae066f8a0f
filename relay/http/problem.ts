import type { WireError } from '../../src/lib/errors.ts';

/** RFC 9457 §3: what programs that know nothing of us read of a failure. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** where in the request it is, one entry a field */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  /** the same failure in the form that it has on every other wire */
  readonly error: WireError;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Prefix of a problem's `type`; the error code follows. It names, and leads nowhere. */
const TYPE_PREFIX = 'urn:tabmesh:error:';

/** A failure as a problem document. */
export function toProblem(error: WireError, status: number): Problem {
  const issues = fieldIssues(error.details['issues']);
  return {
    type: TYPE_PREFIX + error.code,
    title: titleOf(error.code),
    status,
    detail: error.message,
    ...(issues.length === 0 ? {} : { errors: issues }),
    error,
  };
}

/** `rate_limited` → `Rate limited` */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function fieldIssues(issues: unknown): { pointer: string; detail: string }[] {
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) => {
    const { path, message } = (issue ?? {}) as { readonly path?: unknown; readonly message?: unknown };
    return typeof path === 'string' && typeof message === 'string'
      ? [{ pointer: pointerOf(path), detail: message }]
      : [];
  });
}

/** `hits[2].title` as the fragment form of a JSON pointer (RFC 6901 §6): `#/hits/2/title`. */
function pointerOf(path: string): string {
  const parts = path.split(/[.[\]]+/).filter((part) => part !== '');
  return `#${parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0'))}`).join('')}`;
}
