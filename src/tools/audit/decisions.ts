import type { ApprovalsPort, Asker } from '../../contracts/approvals.ts';
import type { AuditActor, AuditEventName, AuditSink } from '../../contracts/audit.ts';
import type { GrantsPort } from '../../contracts/grants.ts';

/** Where nothing has run, and nothing took time. */
const PLAIN = { where: null, tookMs: null, outcome: 'ok', trace: null } as const;

/** The same approvals, with every decision written down once it is durable. @param me who decides here */
export function auditedApprovals(book: ApprovalsPort, sink: AuditSink, me: () => AuditActor): ApprovalsPort {
  const decided = (event: AuditEventName, what: string, about: Asker | undefined) => {
    sink.record({ event, who: me(), what, ...PLAIN, ...(about === undefined ? {} : { about: actorOfAsker(about) }) });
  };
  return {
    pending: () => book.pending(),
    standing: () => book.standing(),
    classAccess: () => book.classAccess(),
    subscribe: (listener) => book.subscribe(listener),
    attend: () => book.attend(),
    async decide(handle, answer) {
      const asked = book.pending().find((request) => request.handle === handle);
      await book.decide(handle, answer);
      decided(`approval.${answer}`, asked?.tool ?? handle, asked?.asker);
    },
    async revoke(id) {
      const before = book.standing().find((decision) => decision.id === id);
      await book.revoke(id);
      decided('approval.revoked', before?.tool ?? id, before?.asker);
    },
    async setClassAccess(access) {
      await book.setClassAccess(access);
      const { member, relay } = access;
      decided('access.changed', `members ${listed(member)}; tokens of relays ${listed(relay)}`, undefined);
    },
  };
}

/** The same grants, with what is issued and taken back written down. @param subjectOf the actor that a grant is for */
export function auditedGrants(
  grants: GrantsPort,
  sink: AuditSink,
  me: () => AuditActor,
  actorOfSubject: (subject: string) => AuditActor,
): GrantsPort {
  return {
    list: () => grants.list(),
    revocations: (method) => grants.revocations(method),
    verify: (chain, call) => grants.verify(chain, call),
    async issue(request) {
      const issued = await grants.issue(request);
      const about = actorOfSubject(issued.claims.audience);
      sink.record({
        event: 'grant.issued',
        who: me(),
        what: issued.cid,
        ...PLAIN,
        args: { tools: request.tools },
        about,
      });
      return issued;
    },
    async revoke(cid, options) {
      const record = await grants.revoke(cid, options);
      sink.record({ event: 'grant.revoked', who: me(), what: cid, ...PLAIN });
      return record;
    },
  };
}

const listed = (classes: readonly string[]): string => (classes.length === 0 ? 'nothing' : classes.join(', '));

function actorOfAsker({ key, class: caller, name, device, issuer }: Asker): AuditActor {
  if (caller === 'member') return { kind: 'device', id: device ?? key, name };
  return { kind: 'token', id: key, name, ...(issuer === undefined ? {} : { issuer }) };
}
