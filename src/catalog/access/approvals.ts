import type { ApprovalRequest, ApprovalsPort, Asker, StandingDecision } from '../../contracts/approvals.ts';
import * as z from '../../tools/zod.ts';

const grantable = z.array(z.enum(['read', 'compute', 'write']));

/** What callers of each class may do without asking. */
export const classes = z.strictObject({
  member: grantable.check(z.describe('devices of the room')),
  relay: grantable.check(z.describe('tokens of relays: AI clients')),
});

const asker = z.strictObject({
  name: z.string(),
  class: z.enum(['member', 'relay']),
  device: z.nullable(z.string()),
});

/** Everything about who may do what at a device. */
export const approvals = z.strictObject({
  pending: z.array(
    z.strictObject({
      handle: z.string().check(z.describe('pass it to decide_approval')),
      asker,
      tool: z.string(),
      access: z.string(),
      args: z.string().check(z.describe('JSON, cut off where it is long')),
      asked: z.int().check(z.describe('times that the call was made')),
      asked_at: z.string(),
      expires_at: z.string(),
    }),
  ),
  standing: z.array(
    z.strictObject({
      id: z.string().check(z.describe('pass it to revoke_approval')),
      asker,
      tool: z.string(),
      decision: z.enum(['allow', 'deny']),
      decided_at: z.string(),
      expires_at: z.nullable(z.string()),
    }),
  ),
  classes,
});

/** What the tools about approvals answer. */
export function approvalsToWire(port: ApprovalsPort): z.input<typeof approvals> {
  const { member, relay } = port.classAccess();
  return {
    pending: port.pending().map(requestToWire),
    standing: port.standing().map(decisionToWire),
    classes: { member: [...member], relay: [...relay] },
  };
}

function requestToWire({ handle, asker: who, tool, access, args, asked, askedAt, expiresAt }: ApprovalRequest) {
  const times = { asked_at: isoTime(askedAt), expires_at: isoTime(expiresAt) };
  return { handle, asker: askerToWire(who), tool, access, args, asked, ...times };
}

function decisionToWire({ id, asker: who, tool, decision, decidedAt, expiresAt }: StandingDecision) {
  const times = { decided_at: isoTime(decidedAt), expires_at: expiresAt === null ? null : isoTime(expiresAt) };
  return { id, asker: askerToWire(who), tool, decision, ...times };
}

const askerToWire = ({ name, class: caller, device }: Asker) => ({ name, class: caller, device });

const isoTime = (ms: number): string => new Date(ms).toISOString();
