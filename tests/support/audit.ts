import type { KeyValueStore } from '../../src/contracts/kv.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createAuditKv } from '../../src/mesh/storage/audit-kv.ts';
import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { createProcessLock, type WriteLock } from '../../src/mesh/storage/lock.ts';
import { TAB_AUDIT_LIMITS } from '../../src/monitor/audit/limits.ts';
import { createAuditLog, type AuditLog } from '../../src/monitor/audit/log.ts';
import { pageHashes } from '../../src/peer/tab/audit.ts';

/** A tab's audit log over a store in memory, under a key that is no secret. */
export function memoryAudit(
  clock: Clock = systemClock,
  store: KeyValueStore = createMemoryStore(),
  lock: WriteLock = createProcessLock(),
): AuditLog {
  return createAuditLog({
    store: createAuditKv(store, lock),
    hashes: pageHashes(new Uint8Array(32)),
    limits: TAB_AUDIT_LIMITS,
    keepArguments: false,
    clock,
    log: silentLog,
  });
}
