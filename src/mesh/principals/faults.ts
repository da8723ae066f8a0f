import { TabmeshError } from '../../lib/errors.ts';

/** Why a principal was refused; `details.reason` of the error. */
export type PrincipalFault =
  | 'principal_malformed'
  | 'principal_forged'
  | 'principal_expired'
  /** the caller speaks for somebody whom it may not speak for */
  | 'principal_foreign'
  /** it was signed for another place, room or hop */
  | 'principal_misdirected'
  /** who called is asked for its word on that, and does not give it */
  | 'principal_unvouched';

/** The refusal of a principal, with a reason that a program can tell. */
export function refused(reason: PrincipalFault, why: string, cause?: unknown): TabmeshError {
  return new TabmeshError('unauthorized', `the principal of the call is refused: ${why}`, {
    details: { reason },
    ...(reason === 'principal_expired' ? { hint: 'Call again; if it goes on, check the clocks of both devices.' } : {}),
    cause,
  });
}

/** The refusal of somebody who speaks for another's token. */
export function foreign(): TabmeshError {
  return new TabmeshError('forbidden', 'only a relay may call for a token, and only for its own', {
    details: { reason: 'principal_foreign' satisfies PrincipalFault },
  });
}
