import type { AuditEventName, AuditPort } from '../../src/contracts/audit.ts';
import type { MeshPeer } from '../../src/contracts/mesh.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { TabmeshError, type ErrorCode } from '../../src/lib/errors.ts';
import { memoryAudit } from './audit.ts';
import type { Scenario } from './scenarios.ts';

const ENTRIES: Readonly<Partial<Record<Scenario, number>>> = { typical: 60, extreme: 2_000, pair: 8 };
const TOOLS = ['search_index', 'get_record', 'search_shard', 'delete_dataset', 'list_datasets'];
const OUTCOMES: readonly ('ok' | ErrorCode)[] = ['ok', 'ok', 'ok', 'ok', 'approval_pending', 'ok', 'forbidden'];
const DECISIONS: readonly AuditEventName[] = ['approval.once', 'approval.no', 'grant.issued', 'access.changed'];
/** Between two entries, ms. */
const EVERY_MS = 97_000;

/** The audit log of a fake room: calls of the others, and a decision now and then. */
export function fakeAudit(scenario: Scenario, peers: readonly MeshPeer[]): AuditPort {
  if (scenario === 'failing') {
    const failed = () =>
      Promise.reject(
        new TabmeshError('storage_failed', 'reading audit/index: the database was closed', {
          hint: 'Reload; if it happens again, check that this browser or folder may store data.',
        }),
      );
    return { read: failed, verify: failed };
  }
  const count = ENTRIES[scenario] ?? 0;
  let n = 0;
  const log = memoryAudit({ ...systemClock, now: () => Date.now() - (count - n) * EVERY_MS });
  const plain = { where: null, trace: null } as const;
  for (; n < count; n++) {
    const peer = peers[1 + (n % Math.max(1, peers.length - 1))];
    if (peer === undefined) continue;
    const device = { kind: 'device', id: peer.device, name: peer.name } as const;
    const token = {
      kind: 'token',
      id: `t${String(n % 3)}`,
      name: 'Claude on the laptop',
      issuer: peer.device,
    } as const;
    const me = { kind: 'device', id: peers[0]?.device ?? '', name: peers[0]?.name ?? '' } as const;
    const decision = n % 9 === 5 ? DECISIONS[Math.floor(n / 9) % DECISIONS.length] : undefined;
    const what = TOOLS[n % TOOLS.length] ?? '';
    if (decision === 'access.changed') {
      log.record({
        ...plain,
        event: decision,
        who: me,
        what: 'members read, compute; tokens of relays read',
        tookMs: null,
        outcome: 'ok',
      });
    } else if (decision !== undefined) {
      const about = n % 2 === 0 ? device : token;
      const cid = decision === 'grant.issued' ? `bafyrei${'d'.repeat(52)}` : what;
      log.record({ ...plain, event: decision, who: me, what: cid, tookMs: null, outcome: 'ok', about });
    } else {
      const outcome = OUTCOMES[n % OUTCOMES.length] ?? 'ok';
      log.record({
        ...plain,
        event: 'served',
        who: n % 4 === 0 ? { ...token, via: [peer.device] } : device,
        what,
        tookMs: 2 + ((n * 37) % 400),
        outcome,
        args: { n },
        trace: n % 3 === 0 ? null : n.toString(16).padStart(32, 'c0ffee12'),
        ...(n % 17 === 3 ? { calls: 412 } : {}),
      });
    }
  }
  return log;
}
