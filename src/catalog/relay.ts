import type { Tool } from '../tools/define-tool.ts';
import { decideApproval } from './access/decide-approval.ts';
import { issueGrant } from './access/issue-grant.ts';
import { listApprovals } from './access/list-approvals.ts';
import { listGrants } from './access/list-grants.ts';
import { listRevocations } from './access/list-revocations.ts';
import { revokeApproval } from './access/revoke-approval.ts';
import { revokeGrant } from './access/revoke-grant.ts';
import { setClassAccess } from './access/set-class-access.ts';
import { verifyGrant } from './access/verify-grant.ts';

/** Tools that only a relay has, besides the catalog: no tab could run them, so no tab loads them. */
export const relayCatalog: readonly Tool[] = [
  listApprovals,
  decideApproval,
  revokeApproval,
  setClassAccess,
  issueGrant,
  listGrants,
  listRevocations,
  revokeGrant,
  verifyGrant,
];
