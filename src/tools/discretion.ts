import type { Principal } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { Discretion } from './guard.ts';
import type { ApprovalGate } from './approvals/gate.ts';
import type { GrantService } from './grants/service.ts';

export interface DiscretionOptions {
  /** fetched when it is first needed, as is what follows */
  readonly gate: () => Promise<Pick<ApprovalGate, 'pass'>>;
  readonly grants: () => Promise<Pick<GrantService, 'use'>>;
  /** what grants name a caller by */
  readonly subjectOf: (principal: Principal) => Promise<string>;
}

/** Grants decide about a call that carries some; the person decides about the others. */
export function createDiscretion({ gate, grants, subjectOf }: DiscretionOptions): Discretion {
  return {
    async decide({ tool, access, args, principal, credentials, ask }, signal) {
      if (credentials.grants !== undefined) {
        const call = { tool, args, audience: await subjectOf(principal) };
        await checkUse(await grants(), credentials.grants, call, principal);
        return;
      }
      if (!ask)
        throw new TabmeshError('forbidden', `the device does not let others ${access}`, { details: { access } });
      await (await gate()).pass({ tool, access, args, principal, approval: credentials.approval }, signal);
    },
  };
}

async function checkUse(
  grants: Pick<GrantService, 'use'>,
  chain: readonly unknown[],
  call: Parameters<GrantService['use']>[1],
  principal: Principal,
): Promise<void> {
  // a grant is for who shows it, not for whoever calls on somebody's behalf
  const checked =
    principal.via === undefined
      ? await grants.use(chain, call)
      : ({ verdict: 'audience_mismatch', hop: null } as const);
  if (checked.verdict === 'ok') return;
  throw new TabmeshError('forbidden', `the grant does not allow ${call.tool} here: ${checked.verdict}`, {
    hint: 'verify_grant tells what each token of it says. Without a grant, the person at the device is asked.',
    details: { verdict: checked.verdict, hop: checked.hop },
  });
}
